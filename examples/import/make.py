"""Makes the files that the example imports: networks in two formats, and what they compute.

    python -m venv venv && venv/bin/pip install numpy safetensors onnx onnxruntime
    venv/bin/python examples/import/make.py

An LSTM with 6 inputs and 16 hidden units, and a dense layer with 4 outputs on the last hidden
state:

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
write: LSTM, Gemm with transB = 1.

outputs.json has an input x and, for it, the hidden states h of all steps and the output y: computed
by onnxruntime (float32), and by the reference evaluator of the package onnx with the same graph in
float64. Arrays are flat and row-major: x (steps, batch, 6), h (steps, batch, 16), y (batch, 4).

The folders have the same for other cells in the place of the LSTM, over fewer steps: gru a
torch.nn.GRU (linear_before_reset = 1 in ONNX), gru_before the same weights with the reset gate
before the product, which ONNX alone has, and relu a torch.nn.RNN(6, 16, nonlinearity="relu"). The
reference evaluator has no ReLU within a recurrent node: its float64 are the equations in numpy.
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

X, A, Y, STEPS, FEW, BATCH = 6, 16, 4, 12, 4, 2
FOLDER = Path(__file__).parent / "files"

rng = np.random.default_rng(1)


def uniform(*shape):
    bound = 1 / np.sqrt(A)
    return rng.uniform(-bound, bound, shape).astype(np.float32)


# The cell: its name in the module, its ONNX operator and attributes, its number of blocks in the
# order of PyTorch (LSTM: i, f, g, o; GRU: r, z, n), and which of them ONNX has first, second, ...
# (LSTM: i, o, f, c; GRU: z, r, h).
LSTM = "lstm", "LSTM", {}, [0, 3, 1, 2]
GRU = "gru", "GRU", {"linear_before_reset": 1}, [1, 0, 2]
GRU_BEFORE = "gru", "GRU", {"linear_before_reset": 0}, [1, 0, 2]
RELU = "rnn", "RNN", {"activations": ["Relu"]}, [0]


def weights(cell):
    """A state_dict with the weights that PyTorch would start from."""
    name, _, _, blocks = cell
    rows = len(blocks) * A
    return {
        f"{name}.weight_ih_l0": uniform(rows, X),
        f"{name}.weight_hh_l0": uniform(rows, A),
        f"{name}.bias_ih_l0": uniform(rows),
        f"{name}.bias_hh_l0": uniform(rows),
        "head.weight": uniform(Y, A),
        "head.bias": uniform(Y),
    }


def graph(cell, state_dict, steps, dtype):
    """The network as an ONNX model, its numbers of the numpy type `dtype`."""
    name, op_type, attributes, blocks = cell

    def for_onnx(key):
        parts = np.split(state_dict[f"{name}.{key}_l0"], len(blocks))
        return np.concatenate([parts[block] for block in blocks])

    tensors = {
        "W": for_onnx("weight_ih")[None],
        "R": for_onnx("weight_hh")[None],
        "B": np.concatenate([for_onnx("bias_ih"), for_onnx("bias_hh")])[None],
        "head.weight": state_dict["head.weight"],
        "head.bias": state_dict["head.bias"],
    }
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    inputs, outputs = ["x", "W", "R", "B"], ["h_all", "h_last"]
    nodes = [
        helper.make_node(op_type, inputs, outputs, hidden_size=A, **attributes),
        helper.make_node("Squeeze", ["h_all", "one"], ["h"]),
        helper.make_node("Squeeze", ["h_last", "zero"], ["last"]),
        helper.make_node("Gemm", ["last", "head.weight", "head.bias"], ["y"], transB=1),
    ]
    initializers = [numpy_helper.from_array(t.astype(dtype), name) for name, t in tensors.items()]
    for name, axis in (("zero", 0), ("one", 1)):
        initializers.append(numpy_helper.from_array(np.array([axis], np.int64), name))
    shapes = {"x": [steps, BATCH, X], "h": [steps, BATCH, A], "y": [BATCH, Y]}
    infos = {k: helper.make_tensor_value_info(k, element, shape) for k, shape in shapes.items()}
    model = helper.make_model(
        helper.make_graph(nodes, "network", [infos["x"]], [infos["h"], infos["y"]], initializers),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def relu_network(state_dict, x):
    """h' = max(0, x W_ih^T + b_ih + h W_hh^T + b_hh), and the dense layer."""
    w = {name: tensor.astype(np.float64) for name, tensor in state_dict.items()}
    h = [np.zeros((BATCH, A))]
    for step in x:
        z = step @ w["rnn.weight_ih_l0"].T + w["rnn.bias_ih_l0"]
        z += h[-1] @ w["rnn.weight_hh_l0"].T + w["rnn.bias_hh_l0"]
        h.append(np.maximum(z, 0))
    return np.stack(h[1:]), h[-1] @ w["head.weight"].T + w["head.bias"]


def listed(array):
    """The numbers, each with as many digits as its type needs."""
    return [float(str(number)) for number in array.ravel()]


def make(folder, cell, state_dict, x):
    folder.mkdir(exist_ok=True)
    if cell != GRU_BEFORE:  # which PyTorch does not have
        file = folder / "network.safetensors"
        save_file(state_dict, file, metadata={"format": "pt"})
        file.chmod(0o644)
    model = graph(cell, state_dict, len(x), np.float32)
    onnx.save(model, folder / "network.onnx")

    session = onnxruntime.InferenceSession(model.SerializeToString())
    h, y = session.run(["h", "y"], {"x": x})
    if cell == RELU:
        exact_h, exact_y = relu_network(state_dict, x.astype(np.float64))
    else:
        evaluator = ReferenceEvaluator(graph(cell, state_dict, len(x), np.float64))
        exact_h, exact_y = evaluator.run(["h", "y"], {"x": x.astype(np.float64)})
    assert exact_h.dtype == exact_y.dtype == np.float64

    outputs = {
        "steps": len(x),
        "batch": BATCH,
        "x": listed(x),
        "onnxruntime": {"h": listed(h), "y": listed(y)},
        "float64": {"h": listed(exact_h), "y": listed(exact_y)},
    }
    lines = json.dumps(outputs).replace('], "', '],\n"').replace('}, "', '},\n"')
    (folder / "outputs.json").write_text(lines + "\n")
    error = max(abs(h - exact_h).max(), abs(y - exact_y).max())
    print(cell[1], cell[2], "error of onnxruntime:", error)


lstm = weights(LSTM)
x = rng.standard_normal((STEPS, BATCH, X)).astype(np.float32)
gru, relu = weights(GRU), weights(RELU)
make(FOLDER, LSTM, lstm, x)
make(FOLDER / "gru", GRU, gru, x[:FEW])
make(FOLDER / "gru_before", GRU_BEFORE, gru, x[:FEW])
make(FOLDER / "relu", RELU, relu, x[:FEW])
