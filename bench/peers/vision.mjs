// The same ONNX files in node's onnxruntime, with tensors that are ready: node vision.mjs MODELS INPUTS THREADS
// A line "STAGE COUNT" on stdin runs the stage so often; the milliseconds of all runs together on stdout.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(join(process.cwd(), 'package.json'));       // bench/peers
const ort = require('onnxruntime-node');
const [models, inputs, threads] = process.argv.slice(2);
const shapes = JSON.parse(readFileSync(join(inputs, 'shapes.json'), 'utf8'));

const bytes = name => { const file = readFileSync(join(inputs, name)); return file.buffer.slice(file.byteOffset, file.byteOffset + file.length); };
const floats = (name, shape) => new ort.Tensor('float32', new Float32Array(bytes(name)), shape);
const ids = (name, shape) => new ort.Tensor('int64', new BigInt64Array(bytes(name)), shape);
const open = path => ort.InferenceSession.create(join(models, path), { intraOpNumThreads: Number(threads), interOpNumThreads: 1, graphOptimizationLevel: 'all' });

const [blipVision, blipDecoder, clipseg, yunet, swin2sr] = await Promise.all(
  ['blip/vision_model.onnx', 'blip/text_decoder.onnx', 'clipseg/model.onnx', 'yunet/model.onnx', 'swin2sr/model.onnx'].map(open));

const blipPixels = floats('blip.pixels', [1, 3, shapes.blip, shapes.blip]);
const clipsegInput = {
  input_ids: ids('clipseg.ids', [2, 77]), attention_mask: ids('clipseg.attention', [2, 77]), pixel_values: floats('clipseg.pixels', [2, 3, shapes.clipseg, shapes.clipseg]),
};
const yunetInput = { input: floats('yunet.pixels', [1, 3, shapes.yunet, shapes.yunet]) };
const swin2srInput = { pixel_values: floats('swin2sr.pixels', [1, 3, shapes.swin2srHeight, shapes.swin2srWidth]) };

const stages = {
  async blip() {
    const { image_embeds } = await blipVision.run({ pixel_values: blipPixels });
    const sequence = [BigInt(shapes.start)];
    for (let i = 0; i < shapes.tokens; i++) {
      const input_ids = new ort.Tensor('int64', BigInt64Array.from(sequence), [1, sequence.length]);
      const { logits } = await blipDecoder.run({ input_ids, encoder_hidden_states: image_embeds });
      const size = logits.dims[2], last = logits.data.subarray((sequence.length - 1) * size);
      let best = 0;
      for (let token = 1; token < size; token++) if (last[token] > last[best]) best = token;
      sequence.push(BigInt(best));
    }
    if (sequence.at(-1) !== BigInt(shapes.end)) throw new Error(`blip: expected the end token ${shapes.end}, found ${sequence.at(-1)}`);
  },
  clipseg: () => clipseg.run(clipsegInput),
  yunet: () => yunet.run(yunetInput),
  swin2sr: () => swin2sr.run(swin2srInput),
  async chain() { for (const stage of ['blip', 'clipseg', 'yunet', 'swin2sr']) await stages[stage](); },
};

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [stage, count] = line.trim().split(' ');
  const start = performance.now();
  for (let i = 0; i < Number(count); i++) await stages[stage]();
  console.log((performance.now() - start).toFixed(3));
}
