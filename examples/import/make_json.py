"""Makes the JSON and .nam files that the example imports, and what their networks compute.

    python -m venv venv && venv/bin/pip install numpy
    venv/bin/python examples/import/make_json.py

A file for each way in which a network is described:

    keras_lstm.json   RTNeural, from Keras: LSTM (1, 8), dense
    keras_gru.json    RTNeural, from Keras: GRU (2, 6), dense (tanh), dense (sigmoid)
    torch_gru.json    RTNeural, from PyTorch: GRU (1, 5), GRU (5, 4) of two layers, dense
    aida.json         AIDA-X: LSTM (1, 4), dense; the input added to the output, gains
    guitarml.json     GuitarML: LSTM (1, 8), dense; the input added to the output
    one_layer.nam     NeuralAmpModeler: LSTM (1, 3)
    two_layers.nam    NeuralAmpModeler: two layers, which do not start from zero

with weights that only numpy draws, so that no framework is needed. NAME.outputs.json has an input x
of the network, and for it the output y, the equations below in float64. Arrays are flat and
row-major: x (steps, batch, inputs), y (steps, batch, outputs).
"""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "files" / "json"
STEPS = 40

rng = np.random.default_rng(1)


def uniform(*shape):
    """Multiples of 2^-20, of which the sum of two biases is exact in float32."""
    return (np.round(rng.uniform(-0.7, 0.7, shape) * 2**20) / 2**20).astype(np.float32)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# The equations. Weights are as PyTorch has them: (gates * units, inputs), gates i, f, g, o of an
# LSTM and r, z, n of a GRU.


def lstm(x, w_ih, w_hh, b_ih, b_hh, h=None, c=None):
    units = w_hh.shape[1]
    h = np.zeros(units) if h is None else h
    c = np.zeros(units) if c is None else c
    outputs = []
    for step in x:
        i, f, g, o = np.split(w_ih @ step + b_ih + w_hh @ h + b_hh, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.array(outputs)


def gru(x, w_ih, w_hh, b_ih, b_hh):
    h = np.zeros(w_hh.shape[1])
    outputs = []
    for step in x:
        r_x, z_x, n_x = np.split(w_ih @ step + b_ih, 3)
        r_h, z_h, n_h = np.split(w_hh @ h + b_hh, 3)
        r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
        h = (1 - z) * np.tanh(n_x + r * n_h) + z * h
        outputs.append(h)
    return np.array(outputs)


def run(equations, x, weights, **state):
    return equations(x, *[np.asarray(w, np.float64) for w in weights], **state)


def dense(x, weights):
    w, b = [np.asarray(w, np.float64) for w in weights]
    return x @ w.T + b


def recurrent(gates, inputs, units):
    rows = gates * units
    return [uniform(rows, inputs), uniform(rows, units), uniform(rows), uniform(rows)]


def linear(inputs, outputs):
    return [uniform(outputs, inputs), uniform(outputs)]


# The formats.


def listed(array):
    """The numbers in lists, each with as many digits as float32 needs."""
    return json.loads(json.dumps(array.tolist()), parse_float=lambda x: float(str(np.float32(x))))


def keras_layer(kind, units, activation, weights):
    shape = [None, None, units]
    weights = [listed(w) for w in weights]
    return {"type": kind, "activation": activation, "shape": shape, "weights": weights}


def keras_lstm(weights, activation="tanh"):
    w_ih, w_hh, b_ih, b_hh = weights  # i, f, g, o: the order of Keras
    return keras_layer("lstm", w_hh.shape[1], activation, [w_ih.T, w_hh.T, b_ih + b_hh])


def keras_gru(weights):
    def z_first(w):
        r, z, n = np.split(w, 3)
        return np.concatenate([z, r, n])

    w_ih, w_hh, b_ih, b_hh = [z_first(w) for w in weights]
    biases = np.stack([b_ih, b_hh])
    return keras_layer("gru", w_hh.shape[1], "tanh", [w_ih.T, w_hh.T, biases])


def keras_dense(weights, activation=""):
    w, b = weights
    return keras_layer("dense", len(b), activation, [w.T, b])


def keras(inputs, *layers, **more):
    return {"in_shape": [None, None, inputs], "layers": list(layers), **more}


def state_dict(modules, head, name):
    """Of modules, each with one or more layers, and a dense layer of this name."""
    tensors = {}
    for module, layers in modules.items():
        for n, layer in enumerate(layers):
            for key, w in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), layer):
                tensors[f"{module}.{key}_l{n}"] = listed(w)
    w, b = head
    return tensors | {f"{name}.weight": listed(w), f"{name}.bias": listed(b)}


def nam(layers, states, head):
    numbers = []
    for (w_ih, w_hh, b_ih, b_hh), state in zip(layers, states):
        numbers += [np.concatenate([w_ih, w_hh], axis=1), b_ih + b_hh, *state]
    numbers = np.concatenate([w.ravel() for w in numbers + head])
    config = {
        "input_size": layers[0][0].shape[1],
        "hidden_size": layers[0][1].shape[1],
        "num_layers": len(layers),
    }
    return {
        "version": "0.5.4",
        "metadata": {"name": "made by make_json.py"},
        "architecture": "LSTM",
        "config": config,
        "weights": listed(numbers),
        "sample_rate": 48000,
    }


def write(name, file, x, y):
    text = json.dumps(file).replace('], "', '],\n"').replace("}, {", "},\n{")
    (FOLDER / name).write_text(text + "\n")
    outputs = {"batch": 1, "last": False, "x": listed(x.ravel()), "float64": y.ravel().tolist()}
    text = json.dumps(outputs).replace('], "', '],\n"')
    (FOLDER / name).with_suffix(".outputs.json").write_text(text + "\n")


FOLDER.mkdir(exist_ok=True)
x = rng.standard_normal((STEPS, 2)).astype(np.float32)
first = x[:, :1]

cell, head = recurrent(4, 1, 8), linear(8, 1)
y = dense(run(lstm, first, cell), head)
write("keras_lstm.json", keras(1, keras_lstm(cell), keras_dense(head)), first, y)

cell, middle, head = recurrent(3, 2, 6), linear(6, 4), linear(4, 3)
y = sigmoid(dense(np.tanh(dense(run(gru, x, cell), middle)), head))
layers = keras_gru(cell), keras_dense(middle, "tanh"), keras_dense(head, "sigmoid")
write("keras_gru.json", keras(2, *layers), x, y)

below, above, head = recurrent(3, 1, 5), [recurrent(3, 5, 4), recurrent(3, 4, 4)], linear(4, 1)
y = run(gru, first, below)
for cell in above:
    y = run(gru, y, cell)
tensors = state_dict({"gru": [below], "gru2": above}, head, "dense")
write("torch_gru.json", tensors, first, dense(y, head))

# What is written from PyTorch through Keras says "" for the activation. The gains are in decibels.
cell, head = recurrent(4, 1, 4), linear(4, 1)
gain = [float(np.float32(10 ** (decibels / 20))) for decibels in (-3.0, 4.5)]
scaled = gain[0] * first.astype(np.float64)
y = gain[1] * (dense(run(lstm, scaled, cell), head) + scaled)
file = keras(1, keras_lstm(cell, ""), keras_dense(head), in_skip=1, in_gain=-3.0, out_gain=4.5)
file["metadata"] = {"name": "made by make_json.py", "samplerate": "44100"}
write("aida.json", file, first, y)

cell, head = recurrent(4, 1, 8), linear(8, 1)
data = {
    "model": "SimpleRNN",
    "input_size": 1,
    "skip": 1,
    "output_size": 1,
    "unit_type": "LSTM",
    "num_layers": 1,
    "hidden_size": 8,
    "bias_fl": True,
}
file = {"model_data": data, "state_dict": state_dict({"rec": [cell]}, head, "lin")}
write("guitarml.json", file, first, dense(run(lstm, first, cell), head) + first)

for name, count in (("one_layer.nam", 1), ("two_layers.nam", 2)):
    layers = [recurrent(4, 3 if n else 1, 3) for n in range(count)]
    states = [(uniform(3), uniform(3)) if count == 2 else np.zeros((2, 3)) for _ in layers]
    head = linear(3, 1)
    y = first
    for cell, (h, c) in zip(layers, states):
        y = run(lstm, y, cell, h=h, c=c)
    write(name, nam(layers, states, head), first, dense(y, head))
