"""Makes files that the example imports: networks in two formats, and what they compute.

    python -m venv venv && venv/bin/pip install numpy safetensors onnx onnxruntime
    venv/bin/python examples/import/make.py

The first is an LSTM with 6 inputs and 16 hidden units, and a dense layer with 4 outputs on the last
hidden state:

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = torch.nn.LSTM(6, 16)
            self.head = torch.nn.Linear(16, 4)

        def forward(self, x):  # (steps, batch, 6)
            h, _ = self.lstm(x)
            return self.head(h[-1])

with the weights that PyTorch would start from, uniform in +-1/sqrt(16). Only numpy draws them, so
that no PyTorch is needed; names, shapes and gate order in network.safetensors are those of
safetensors.torch.save_file(network.state_dict(), ...). network.onnx has the nodes that exporters
write.

outputs.json has an input x and the output y that onnxruntime (float32) computes for it, and that
the equations in numpy give in float64, which the reference evaluator of the package onnx confirms
where it has the operators. Arrays are flat and row-major: x is (steps, batch, inputs), y (steps,
batch, outputs) or, where `last` is true, (batch, outputs) after the last step.

The folders have the same for other networks, which SAMPLES lists. Where there is no .safetensors,
PyTorch does not have the network.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

STEPS, FEW, BATCH = 12, 4, 2
FOLDER = Path(__file__).parent / "files"

rng = np.random.default_rng(1)

# The blocks of each operator, numbered as PyTorch has them (LSTM: i, f, g, o; GRU: r, z, n), in the
# order of ONNX (LSTM: i, o, f, c; GRU: z, r, h).
BLOCKS = {"LSTM": [0, 3, 1, 2], "GRU": [1, 0, 2], "RNN": [0]}


@dataclass
class Sample:
    folder: str
    op_type: str  # of ONNX; in lower case the name in the module
    attributes: dict = field(default_factory=dict)  # of ONNX
    inputs: int = 2
    units: int = 3
    outputs: int = 2
    layers: int = 1
    directions: int = 1
    bias: bool = True
    cell: bool = False  # torch.nn.LSTMCell: no _l0 in the names
    last: bool = False  # the dense layer is on the last step alone
    state: bool = False  # there is an initial state
    softmax: bool = False  # on the dense layer

    def suffixes(self, layer):
        """Of the names in PyTorch, for each direction."""
        if self.cell:
            return [""]
        return [f"_l{layer}", f"_l{layer}_reverse"][: self.directions]

    def key(self, parameter, suffix):
        return f"{self.op_type.lower()}.{parameter}{suffix}"


SIXTEEN = {"inputs": 6, "units": 16, "outputs": 4, "last": True}
LSTM = Sample("", "LSTM", **SIXTEEN)
GRU = Sample("gru", "GRU", {"linear_before_reset": 1}, **SIXTEEN)
GRU_BEFORE = Sample("gru_before", "GRU", {"linear_before_reset": 0}, **SIXTEEN)
RELU = Sample("relu", "RNN", {"activations": ["Relu"]}, **SIXTEEN)
BIDIRECTIONAL = Sample("bidirectional", "LSTM", layers=2, directions=2)
TWO_RNNS = Sample("two_rnns", "RNN", layers=2, bias=False, last=True)
CELL = Sample("cell", "LSTM", cell=True)
STATE = Sample("state", "GRU", {"linear_before_reset": 0}, state=True, softmax=True)


def weights(sample):
    """A state_dict with the weights that PyTorch would start from."""
    bound = 1 / np.sqrt(sample.units)

    def uniform(*shape):
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    rows = len(BLOCKS[sample.op_type]) * sample.units
    outputs = sample.directions * sample.units
    tensors = {}
    for layer in range(sample.layers):
        inputs = sample.inputs if layer == 0 else outputs
        for suffix in sample.suffixes(layer):
            tensors[sample.key("weight_ih", suffix)] = uniform(rows, inputs)
            tensors[sample.key("weight_hh", suffix)] = uniform(rows, sample.units)
            if sample.bias:
                tensors[sample.key("bias_ih", suffix)] = uniform(rows)
                tensors[sample.key("bias_hh", suffix)] = uniform(rows)
    tensors["head.weight"] = uniform(sample.outputs, outputs)
    if sample.bias:
        tensors["head.bias"] = uniform(sample.outputs)
    return tensors


def graph(sample, state_dict, h0, steps, dtype):
    """The network as an ONNX model, its numbers of the numpy type `dtype`."""
    blocks = BLOCKS[sample.op_type]
    tensors, nodes = {}, []

    def for_onnx(parameter, suffix):
        parts = np.split(state_dict[sample.key(parameter, suffix)], len(blocks))
        return np.concatenate([parts[block] for block in blocks])

    def node(op_type, inputs, outputs, **attributes):
        nodes.append(helper.make_node(op_type, inputs, outputs, **attributes))

    attributes = {"hidden_size": sample.units, **sample.attributes}
    if sample.directions == 2:
        attributes["direction"] = "bidirectional"
    below = "x"
    for layer in range(sample.layers):
        n = layer or ""
        suffixes = sample.suffixes(layer)
        tensors[f"W{n}"] = np.stack([for_onnx("weight_ih", s) for s in suffixes])
        tensors[f"R{n}"] = np.stack([for_onnx("weight_hh", s) for s in suffixes])
        inputs = [below, f"W{n}", f"R{n}"]
        if sample.bias:
            biases = [[for_onnx("bias_ih", s), for_onnx("bias_hh", s)] for s in suffixes]
            tensors[f"B{n}"] = np.stack([np.concatenate(pair) for pair in biases])
            inputs.append(f"B{n}")
        if sample.state:
            tensors["h0"] = np.stack([np.stack([h0] * BATCH)])
            inputs += ["", "h0"]
        node(sample.op_type, inputs, [f"h_all{n}", f"h_last{n}"], **attributes)
        below = f"h{n}"
        if sample.directions == 2:
            node("Transpose", [f"h_all{n}"], [f"turned{n}"], perm=[0, 2, 1, 3])
            node("Reshape", [f"turned{n}", "together"], [below])
            tensors["together"] = np.array([0, 0, -1])
        else:
            # What the last layer's are not used for is not computed.
            node("Squeeze", [f"h_all{n}", "one"], [below])
            tensors["one"] = np.array([1])

    tensors["head.weight"] = state_dict["head.weight"]
    dense = "logits" if sample.softmax else "y"
    if sample.last:
        nodes.pop()
        node("Squeeze", [f"h_last{n}", "zero"], ["last"])
        tensors["zero"] = np.array([0])
        bias = ["head.bias"] if sample.bias else []
        node("Gemm", ["last", "head.weight"] + bias, [dense], transB=1)
        if sample.layers == 1:
            del tensors["one"]
    else:
        tensors["head.weight"] = state_dict["head.weight"].T.copy()
        node("MatMul", [below, "head.weight"], ["product"])
        node("Add", ["product", "head.bias"], [dense])
    if sample.bias:
        tensors["head.bias"] = state_dict["head.bias"]
    if sample.softmax:
        node("Softmax", [dense], ["y"])

    def typed(tensor):
        return tensor if tensor.dtype == np.int64 else tensor.astype(dtype)

    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    initializers = [numpy_helper.from_array(typed(t), name) for name, t in tensors.items()]
    over = [] if sample.last else [steps]
    shapes = {"x": [steps, BATCH, sample.inputs], "y": [*over, BATCH, sample.outputs]}
    infos = {k: helper.make_tensor_value_info(k, element, shape) for k, shape in shapes.items()}
    model = helper.make_model(
        helper.make_graph(nodes, "network", [infos["x"]], [infos["y"]], initializers),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(sample, x, h, c, w):
    """The equations of the cells. `w(parameter)`: a tensor, or 0 where there is none."""
    zx, zh = x @ w("weight_ih").T + w("bias_ih"), h @ w("weight_hh").T + w("bias_hh")
    if sample.op_type == "LSTM":
        i, f, g, o = np.split(zx + zh, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    if sample.op_type == "GRU":
        (rx, ux, nx), (rh, uh, nh) = np.split(zx, 3, axis=1), np.split(zh, 3, axis=1)
        r, u = sigmoid(rx + rh), sigmoid(ux + uh)
        if sample.attributes["linear_before_reset"] == 0:
            bias = np.split(w("bias_hh"), 3)[2]
            n = np.tanh(nx + (r * h) @ np.split(w("weight_hh"), 3)[2].T + bias)
        else:
            n = np.tanh(nx + r * nh)
        return (1 - u) * n + u * h, c
    if "activations" in sample.attributes:
        return np.maximum(zx + zh, 0), c
    return np.tanh(zx + zh), c


def exact(sample, state_dict, h0, x):
    """What the network computes, in float64."""
    state_dict = {name: tensor.astype(np.float64) for name, tensor in state_dict.items()}
    for layer in range(sample.layers):
        outputs = []
        for k, suffix in enumerate(sample.suffixes(layer)):
            h, c, direction = np.tile(h0.astype(np.float64), (BATCH, 1)), 0.0, []
            for now in x[::-1] if k else x:
                w = lambda parameter: state_dict.get(sample.key(parameter, suffix), 0.0)
                h, c = step(sample, now, h, c, w)
                direction.append(h)
            outputs.append(np.stack(direction[::-1] if k else direction))
        x = np.concatenate(outputs, axis=2)
    y = (x[-1] if sample.last else x) @ state_dict["head.weight"].T
    y += state_dict.get("head.bias", 0.0)
    if sample.softmax:
        y = np.exp(y - y.max(axis=-1, keepdims=True))
        y /= y.sum(axis=-1, keepdims=True)
    return y


def listed(array):
    """The numbers, each with as many digits as its type needs."""
    return [float(str(number)) for number in array.ravel()]


def make(sample, state_dict, x, h0=None):
    folder = FOLDER / sample.folder
    folder.mkdir(exist_ok=True)
    if h0 is None:
        h0 = np.zeros(sample.units, np.float32)
    if sample.attributes.get("linear_before_reset") != 0:
        file = folder / "network.safetensors"
        save_file(state_dict, file, metadata={"format": "pt"})
        file.chmod(0o644)
    model = graph(sample, state_dict, h0, len(x), np.float32)
    onnx.save(model, folder / "network.onnx")

    session = onnxruntime.InferenceSession(model.SerializeToString())
    (y,) = session.run(["y"], {"x": x})
    exact_y = exact(sample, state_dict, h0, x.astype(np.float64))
    # The reference evaluator has neither ReLU within a recurrent node nor two directions.
    if sample.directions == 1 and "activations" not in sample.attributes:
        evaluator = ReferenceEvaluator(graph(sample, state_dict, h0, len(x), np.float64))
        (other,) = evaluator.run(["y"], {"x": x.astype(np.float64)})
        assert exact_y.dtype == other.dtype == np.float64
        assert abs(exact_y - other).max() < 1e-15
        exact_y = other

    outputs = {
        "batch": BATCH,
        "last": sample.last,
        "x": listed(x),
        "onnxruntime": listed(y),
        "float64": listed(exact_y),
    }
    lines = json.dumps(outputs).replace('], "', '],\n"')
    (folder / "outputs.json").write_text(lines + "\n")
    error = abs(y - exact_y).max()
    print(f"{sample.folder or '.'}: {sample.op_type}, error of onnxruntime: {error:.1e}")


lstm = weights(LSTM)
x = rng.standard_normal((STEPS, BATCH, LSTM.inputs)).astype(np.float32)
gru, relu = weights(GRU), weights(RELU)
make(LSTM, lstm, x)
make(GRU, gru, x[:FEW])
make(GRU_BEFORE, gru, x[:FEW])
make(RELU, relu, x[:FEW])

x = rng.standard_normal((FEW, BATCH, 2)).astype(np.float32)
make(BIDIRECTIONAL, weights(BIDIRECTIONAL), x)
make(TWO_RNNS, weights(TWO_RNNS), x)
make(CELL, weights(CELL), x)
make(STATE, weights(STATE), x, rng.uniform(-1, 1, STATE.units).astype(np.float32))
