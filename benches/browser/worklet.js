// A network in the thread that renders audio. The module comes as bytes; nothing is allocated after the constructor.
class Network extends AudioWorkletProcessor {
  constructor({ processorOptions: { bytes, network } }) {
    super();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    exports.start();
    this.port.postMessage(Boolean(exports.environment()));
    this.network = network;
    this.exports = exports;
    this.input = new Float32Array(exports.memory.buffer, exports.input(), 128);
    this.output = new Float32Array(exports.memory.buffer, exports.output(), 128);
  }

  process([[input]], [[output]]) {
    if (input) {
      this.input.set(input);
      this.exports.process(this.network);
      output.set(this.output);
    }
    return true;
  }
}

// What a worklet costs that does nothing.
class Through extends AudioWorkletProcessor {
  process([[input]], [[output]]) {
    if (input) output.set(input);
    return true;
  }
}

registerProcessor("network", Network);
registerProcessor("through", Through);
