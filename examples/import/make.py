"""Makes the files that the example imports: one network in two formats, and what it computes.

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
"""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from safetensors.numpy import save_file

X, A, Y, STEPS, BATCH = 6, 16, 4, 12, 2
FOLDER = Path(__file__).parent / "files"

rng = np.random.default_rng(1)


def uniform(*shape):
    bound = 1 / np.sqrt(A)
    return rng.uniform(-bound, bound, shape).astype(np.float32)


state_dict = {
    "lstm.weight_ih_l0": uniform(4 * A, X),
    "lstm.weight_hh_l0": uniform(4 * A, A),
    "lstm.bias_ih_l0": uniform(4 * A),
    "lstm.bias_hh_l0": uniform(4 * A),
    "head.weight": uniform(Y, A),
    "head.bias": uniform(Y),
}
x = rng.standard_normal((STEPS, BATCH, X)).astype(np.float32)


def iofc(tensor):
    """The four gates in the order of ONNX (i, o, f, c), from that of PyTorch (i, f, g, o)."""
    i, f, g, o = np.split(tensor, 4)
    return np.concatenate([i, o, f, g])


def graph(dtype):
    """The network as an ONNX model, its numbers of the numpy type `dtype`."""
    bias = [iofc(state_dict[f"lstm.bias_{k}_l0"]) for k in ("ih", "hh")]
    tensors = {
        "W": iofc(state_dict["lstm.weight_ih_l0"])[None],
        "R": iofc(state_dict["lstm.weight_hh_l0"])[None],
        "B": np.concatenate(bias)[None],
        "head.weight": state_dict["head.weight"],
        "head.bias": state_dict["head.bias"],
    }
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B"], ["h_all", "h_last"], hidden_size=A),
        helper.make_node("Squeeze", ["h_all", "one"], ["h"]),
        helper.make_node("Squeeze", ["h_last", "zero"], ["last"]),
        helper.make_node("Gemm", ["last", "head.weight", "head.bias"], ["y"], transB=1),
    ]
    initializers = [numpy_helper.from_array(t.astype(dtype), name) for name, t in tensors.items()]
    for name, axis in (("zero", 0), ("one", 1)):
        initializers.append(numpy_helper.from_array(np.array([axis], np.int64), name))
    shapes = {"x": [STEPS, BATCH, X], "h": [STEPS, BATCH, A], "y": [BATCH, Y]}
    infos = {k: helper.make_tensor_value_info(k, element, shape) for k, shape in shapes.items()}
    model = helper.make_model(
        helper.make_graph(nodes, "network", [infos["x"]], [infos["h"], infos["y"]], initializers),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def listed(array):
    """The numbers, each with as many digits as its type needs."""
    return [float(str(number)) for number in array.ravel()]


FOLDER.mkdir(exist_ok=True)
file = FOLDER / "network.safetensors"
save_file(state_dict, file, metadata={"format": "pt"})
file.chmod(0o644)
model = graph(np.float32)
onnx.save(model, FOLDER / "network.onnx")

session = onnxruntime.InferenceSession(model.SerializeToString())
h, y = session.run(["h", "y"], {"x": x})
evaluator = ReferenceEvaluator(graph(np.float64))
exact_h, exact_y = evaluator.run(["h", "y"], {"x": x.astype(np.float64)})
assert exact_h.dtype == exact_y.dtype == np.float64

outputs = {
    "steps": STEPS,
    "batch": BATCH,
    "x": listed(x),
    "onnxruntime": {"h": listed(h), "y": listed(y)},
    "float64": {"h": listed(exact_h), "y": listed(exact_y)},
}
lines = json.dumps(outputs).replace('], "', '],\n"').replace('}, "', '},\n"')
(FOLDER / "outputs.json").write_text(lines + "\n")
print("error of onnxruntime:", max(abs(h - exact_h).max(), abs(y - exact_y).max()))
