#!/usr/bin/env python3
"""The same layers in bptt and in onnxruntime, PyTorch (oneDNN) and JAX (compiled), as tables for the README:

    pip install numpy onnx onnxruntime torch jax
    python benches/peers/frameworks.py            all of it
    python benches/peers/frameworks.py gru        some of lstm, gru, rnn
    python benches/peers/frameworks.py integers   LSTM with weights of 8 bits, in onnxruntime and PyTorch

Same weights, same inputs, results compared before anything is timed, one thread on one core, all taking turns in one
run. A cell of a table is the median of the processor time, which a busy neighbour does not add to, and how many times
bptt's median that is. What the call from Python costs is part of the times; bptt is called from its own process, which
times itself.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

STEPS = 100
NAMES = ["bptt", "onnxruntime", "torch", "jax"]
# Relative to the largest entry of a part of the results: sums of up to 100·32 products in f32 in another order.
TOLERANCE = 1e-4
ROUNDS, LEAST_ROUNDS, BUDGET = 101, 11, 4.0
TURN = 1e-3  # seconds over which one engine is timed at once, at least


class Layer:
    """
    Weights and inputs: PyTorch's layout, the gates of an LSTM in the order i, f, g, o, those of a GRU r, z, n;
    sequences (step, m, ·).
    """

    def __init__(self, cell, x, a, m):
        rng = np.random.default_rng(1)
        self.cell, self.sizes, self.gates = cell, (x, a, m), {"lstm": 4, "gru": 3, "rnn": 1}[cell]

        def numbers(limit, *shape):
            return rng.uniform(-limit, limit, shape).astype(np.float32)

        rows, limit = self.gates * a, a**-0.5
        self.wx, self.wa, self.b = numbers(limit, rows, x), numbers(limit, rows, a), numbers(limit, rows)
        self.x, self.da = numbers(1, STEPS, m, x), numbers(1, STEPS, m, a)

    def weights(self):
        return self.wx, self.wa, self.b


class Bptt:
    """The binary `ours` of this package, kept running."""

    def __init__(self):
        here = Path(__file__).parent
        build = ["cargo", "build", "--release", "--bin", "ours", "--message-format=short"]
        subprocess.run(build, cwd=here, check=True)
        run = ["cargo", "run", "--quiet", "--release", "--bin", "ours"]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(run, cwd=here, stdin=pipe, stdout=pipe, text=True)
        self.backend = self.process.stdout.readline().strip()
        self.directory = tempfile.TemporaryDirectory()

    def command(self, *words):
        print(*words, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        assert answer, "bptt has stopped"
        return answer

    def load(self, layer, task):
        """The results: a, and for training dwx, dwa, db, dx."""
        file = Path(self.directory.name) / "layer"
        with open(file, "wb") as out:
            for values in (*layer.weights(), layer.x, layer.da):
                values.tofile(out)
        self.command("load", layer.cell, task, *layer.sizes, file)
        values = np.fromfile(f"{file}.out", np.float32)
        shapes = [layer.da.shape]
        if task == "training":
            shapes += [v.shape for v in (*layer.weights(), layer.x)]
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        assert ends[-1] == len(values)
        return [v.reshape(shape) for v, shape in zip(np.split(values, ends[:-1]), shapes)]

    def time(self, turns):
        return float(self.command("time", turns))


def with_onnxruntime(layer, task):
    if task == "training":
        return None
    (x, a, m), gates = layer.sizes, layer.gates
    order = {4: [0, 3, 1, 2], 3: [1, 0, 2], 1: [0]}[gates]  # i, o, f, c; z, r, h

    def ordered(v):
        return v.reshape(gates, a, -1)[order].reshape(1, gates * a, -1)

    b = np.concatenate([ordered(layer.b)[..., 0], np.zeros((1, gates * a), np.float32)], axis=1)
    weights = {"w": ordered(layer.wx), "r": ordered(layer.wa), "b": b}
    reset = {"linear_before_reset": 1} if layer.cell == "gru" else {}
    node = helper.make_node(layer.cell.upper(), ["x", "w", "r", "b"], ["y"], hidden_size=a, **reset)
    graph = helper.make_graph(
        [node],
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [STEPS, m, x])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [STEPS, 1, m, a])],
        [numpy_helper.from_array(v, name) for name, v in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return lambda: [session.run(None, {"x": layer.x})[0][:, 0]]


def with_torch(layer, task):
    x, a, _ = layer.sizes
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[layer.cell](x, a)
    with torch.no_grad():
        module.weight_ih_l0.copy_(torch.from_numpy(layer.wx))
        module.weight_hh_l0.copy_(torch.from_numpy(layer.wa))
        module.bias_ih_l0.copy_(torch.from_numpy(layer.b))
        module.bias_hh_l0.zero_()
    x, da = torch.from_numpy(layer.x), torch.from_numpy(layer.da)
    if task == "forward":

        def forward():
            with torch.inference_mode():
                return [module(x)[0]]

        return forward
    inputs = [module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0, x.requires_grad_()]

    def training():
        y = module(x)[0]
        return [y.detach(), *torch.autograd.grad(y, inputs, da)]

    return training


def with_jax(layer, task):
    def forward(weights, x):
        wx, wa, b = weights
        z_x = x @ wx.T + b
        zeros = jnp.zeros(layer.da.shape[1:], jnp.float32)

        def lstm(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ wa.T, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        def gru(h, z):
            (r, u, n), (r_h, u_h, n_h) = jnp.split(z, 3, axis=1), jnp.split(h @ wa.T, 3, axis=1)
            r, u = jax.nn.sigmoid(r + r_h), jax.nn.sigmoid(u + u_h)
            h = (1 - u) * jnp.tanh(n + r * n_h) + u * h
            return h, h

        def rnn(h, z):
            h = jnp.tanh(z + h @ wa.T)
            return h, h

        if layer.cell == "lstm":
            return jax.lax.scan(lstm, (zeros, zeros), z_x)[1]
        return jax.lax.scan({"gru": gru, "rnn": rnn}[layer.cell], zeros, z_x)[1]

    def training(weights, x, da):
        y, pull = jax.vjp(forward, weights, x)
        (dwx, dwa, db), dx = pull(da)
        return y, dwx, dwa, db, dx

    weights, x, da = jax.device_put((layer.weights(), layer.x, layer.da))
    if task == "forward":
        compiled = jax.jit(forward)
        return lambda: [compiled(weights, x).block_until_ready()]
    compiled = jax.jit(training)
    return lambda: jax.block_until_ready(compiled(weights, x, da))


def quantized_onnxruntime(model):
    """The session of a model whose LSTM became DynamicQuantizeLSTM."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as directory:
        before, after = Path(directory) / "before.onnx", Path(directory) / "after.onnx"
        onnx.save(model, before)
        quantize_dynamic(before, after, weight_type=QuantType.QInt8)
        operators = [node.op_type for node in onnx.load(after).graph.node]
        assert "DynamicQuantizeLSTM" in operators, operators
        return onnxruntime.InferenceSession(
            after.read_bytes(), options, providers=["CPUExecutionProvider"]
        )


def recurrent_model(layer, steps):
    """An LSTM for ONNX whose states come in and go out."""
    x, a, _ = layer.sizes

    def ordered(v):
        return v.reshape(4, a, -1)[[0, 3, 1, 2]].reshape(1, 4 * a, -1)  # i, o, f, c

    b = np.concatenate([ordered(layer.b)[..., 0], np.zeros((1, 4 * a), np.float32)], axis=1)
    weights = {"w": ordered(layer.wx), "r": ordered(layer.wa), "b": b}
    node = helper.make_node(
        "LSTM", ["x", "w", "r", "b", "", "h", "c"], ["y", "h_next", "c_next"], hidden_size=a
    )

    def value(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        [node],
        "layer",
        [value("x", steps, 1, x), value("h", 1, 1, a), value("c", 1, 1, a)],
        [value("y", steps, 1, 1, a), value("h_next", 1, 1, a), value("c_next", 1, 1, a)],
        [numpy_helper.from_array(v, name) for name, v in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)


def integers():
    """LSTMs with weights of 8 bits for one sample: a step with the state fed back, and 100 steps."""
    # As far as weights and activations of 8 bits may lie from f32, relative to the largest entry.
    tolerance = 0.1
    names = ["onnxruntime f32", "DynamicQuantizeLSTM", "torch f32", "quantize_dynamic"]
    print(f"onnxruntime {onnxruntime.__version__}, torch {torch.__version__}", end="")
    print(f", quantised by {torch.backends.quantized.engine}")
    print(f"\nLSTM, M = 1, µs:\n\n| (X, A) | steps | {' | '.join(names)} |")
    print(f"|---|---|{'---|' * len(names)}")
    for x, a in [(6, 16), (16, 32), (32, 64), (64, 128), (128, 256)]:
        layer = Layer("lstm", x, a, 1)
        module = torch.nn.LSTM(x, a)
        with torch.no_grad():
            module.weight_ih_l0.copy_(torch.from_numpy(layer.wx))
            module.weight_hh_l0.copy_(torch.from_numpy(layer.wa))
            module.bias_ih_l0.copy_(torch.from_numpy(layer.b))
            module.bias_hh_l0.zero_()
        # It replaces the modules within a module.
        quantized = torch.ao.quantization.quantize_dynamic(
            torch.nn.Sequential(module), {torch.nn.LSTM}, dtype=torch.qint8
        )[0]
        for steps in [1, STEPS]:
            model = recurrent_model(layer, steps)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            plain = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )

            def of_onnxruntime(session):
                state = [np.zeros((1, 1, a), np.float32)] * 2

                def run():
                    inputs = {"x": layer.x[:steps], "h": state[0], "c": state[1]}
                    y, *state[:] = session.run(None, inputs)
                    return y.reshape(steps, a)

                return run

            def of_torch(module):
                inputs = torch.from_numpy(layer.x[:steps])
                state = [(torch.zeros(1, 1, a), torch.zeros(1, 1, a))]

                def run():
                    with torch.inference_mode():
                        y, state[0] = module(inputs, state[0])
                    return y.numpy().reshape(steps, a)

                return run

            runs = [
                of_onnxruntime(plain),
                of_onnxruntime(quantized_onnxruntime(model)),
                of_torch(module),
                of_torch(quantized),
            ]
            expected = runs[0]()
            for name, run in zip(names[1:], runs[1:]):
                difference = np.abs(run() - expected).max() / np.abs(expected).max()
                assert difference <= tolerance, (name, difference)
            timers = [timer(run) for run in runs]
            turns = [max(1, round(TURN / time_turns(3))) for time_turns in timers]
            times = [[] for _ in runs]
            for _ in range(ROUNDS):
                for n, time_turns in enumerate(timers):
                    times[n].append(time_turns(turns[n]))
            cells = [digits(1e6 * statistics.median(t)) for t in times]
            print(f"| ({x}, {a}) | {steps} | {' | '.join(cells)} |", flush=True)


def compare(name, found, expected):
    for part, f, e in zip(["a", "dwx", "dwa", "db", "dx"], found, expected, strict=False):
        difference = np.abs(np.asarray(f) - e).max()
        assert difference <= TOLERANCE * np.abs(e).max(), (name, part, difference)
    assert len(found) == len(expected), name


def timer(run):
    def time_turns(turns):
        run()
        start = time.process_time()
        for _ in range(turns):
            run()
        return (time.process_time() - start) / turns

    return time_turns


def measure(bptt, layer, task):
    """The times of all engines, one a round."""
    expected = bptt.load(layer, task)
    timers = {"bptt": bptt.time}
    for name, engine in zip(NAMES[1:], [with_onnxruntime, with_torch, with_jax]):
        run = engine(layer, task)
        if run is not None:
            compare(name, run(), expected)
            timers[name] = timer(run)
    once = {name: time_turns(1) for name, time_turns in timers.items()}
    turns = {name: max(1, round(TURN / t)) for name, t in once.items()}
    a_round = sum((turns[name] + 1) * t for name, t in once.items())
    rounds = min(max(round(BUDGET / a_round), LEAST_ROUNDS), ROUNDS)
    times = {name: [] for name in timers}
    for _ in range(rounds):
        for name, time_turns in timers.items():
            times[name].append(time_turns(turns[name]))
    return times


def digits(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def main():
    torch.set_num_threads(1)
    if sys.argv[1:] == ["integers"]:
        integers()
        return
    bptt = Bptt()
    versions = f"onnxruntime {onnxruntime.__version__}, torch {torch.__version__}, jax {jax.__version__}"
    print(f"Instruction set of bptt: {bptt.backend}; {versions}")
    gated = [(x, a, m) for x, a in [(32, 64), (64, 128), (128, 256)] for m in [1, 8, 32]]
    rnn = [(32, 64, 1), (32, 64, 32)]
    spread = []
    only = sys.argv[1:]
    for title, cell, task, sizes in [
        ("LSTM, 100 steps forward", "lstm", "forward", gated),
        ("LSTM, 100 steps forward and backward", "lstm", "training", gated),
        ("GRU, 100 steps forward", "gru", "forward", gated),
        ("GRU, 100 steps forward and backward", "gru", "training", gated),
        ("Plain RNN, 100 steps forward", "rnn", "forward", rnn),
        ("Plain RNN, 100 steps forward and backward", "rnn", "training", rnn),
    ]:
        if only and cell not in only:
            continue
        print(f"\n{title}, µs:\n")
        names = [name for name in NAMES if task == "forward" or name != "onnxruntime"]
        print(f"| (X, A) | M | {' | '.join(names)} |")
        print(f"|---|---|{'---|' * len(names)}")
        for x, a, m in sizes:
            times = measure(bptt, Layer(cell, x, a, m), task)
            medians = {name: statistics.median(t) for name, t in times.items()}
            cells = [f"**{digits(1e6 * medians['bptt'])}**"]
            for name in names[1:]:
                ratio = medians[name] / medians["bptt"]
                cells.append(f"{digits(1e6 * medians[name])} ({ratio:.1f}×)")
            print(f"| ({x}, {a}) | {m} | {' | '.join(cells)} |", flush=True)
            for t in times.values():
                lower, median, upper = statistics.quantiles(t, n=4)
                spread.append(100 * (upper - lower) / median)
    print(
        f"\nHalf of the rounds lie within {statistics.median(spread):.0f} % of their median"
        f" (median over the tables; {max(spread):.0f} % at most)."
    )


if __name__ == "__main__":
    main()
