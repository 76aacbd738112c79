// Listening in on the browser's sound, which no test machine has loudspeakers for.

/** Runs in every frame before its scripts: what goes to the loudspeakers goes through an analyser too. */
export function listenIn() {
  const heard = { analysers: [], starts: [] };
  Object.defineProperty(window, 'heard', { value: heard });
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target instanceof AudioDestinationNode) {
      const analyser = target.context.createAnalyser();
      connect.call(this, analyser);
      heard.analysers.push(analyser);
    }
    return connect.call(this, target, ...rest);
  };
  const start = AudioBufferSourceNode.prototype.start;
  AudioBufferSourceNode.prototype.start = function (when, ...rest) {
    heard.starts.push(when);
    return start.call(this, when, ...rest);
  };
}

/** The loudest that sounds in a frame at this moment, from 0 to 1. */
export function loudness(frame) {
  return frame.evaluate(() => Math.max(0, ...window.heard.analysers.map((analyser) => {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return Math.max(...samples.map(Math.abs));
  })));
}

/** When the notes given to the browser so far start, in seconds. */
export function starts(frame) {
  return frame.evaluate(() => [...window.heard.starts]);
}

export function forget(frame) {
  return frame.evaluate(() => {
    window.heard.starts.length = 0;
    window.heard.analysers.length = 0;
  });
}
