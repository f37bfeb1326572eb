// Drives the host with Replicate's own npm client, unmodified: sends a data set, makes a model, trains, waits, draws, cancels, pages through lists and
// checks a webhook. Prints one line of JSON a step; ends with 1 at the first thing that is not as the client's documentation says.
// Arguments: the package's folder, base address, token, archive, kind ("trainings" or "all").
const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');

const [, , folder, baseUrl, auth, archive, kind] = process.argv;
const Replicate = require(folder);
const replicate = new Replicate({ auth, baseUrl });
const tell = (step, what) => console.log(JSON.stringify({ step, ...what }));
const inputs = { max_train_steps: 6, train_batch_size: 1, resolution: 64, lora_rank: 4, seed: 42 };

async function until(id, reached) {
  for (;;) {
    const training = await replicate.trainings.get(id);
    if (reached(training)) return training;
    await new Promise(next => setTimeout(next, 300));
  }
}

const over = training => ['succeeded', 'failed', 'canceled'].includes(training.status);

async function trainings() {
  const { username } = await replicate.accounts.current();
  assert.ok((await replicate.hardware.list()).some(hardware => hardware.sku === 'gpu-a40-small'));
  const model = await replicate.models.create(username, 'from-js', { visibility: 'private', hardware: 'gpu-a40-small' });
  assert.equal(model.latest_version, null);
  tell('model', { name: `${model.owner}/${model.name}` });

  const file = await replicate.files.create(fs.readFileSync(archive), { from: 'a test' });
  assert.deepEqual((await replicate.files.get(file.id)).metadata, { from: 'a test' });
  const base = await replicate.models.get('stability-ai', 'sdxl');
  const started = await replicate.trainings.create('stability-ai', 'sdxl', base.latest_version.id, {
    destination: `${username}/from-js`,
    input: { input_images: file.urls.get, ...inputs },
  });
  assert.equal(started.status, 'starting');
  assert.equal(await replicate.files.delete(file.id), true); // the training has it

  const trained = await until(started.id, over);
  assert.equal(trained.status, 'succeeded', trained.error + trained.logs);
  assert.match(trained.output.version, new RegExp(`^${username}/from-js:[0-9a-f]{64}$`));
  assert.deepEqual(Replicate.parseProgressFromLogs(trained), { percentage: 1, current: 6, total: 6 });
  const weights = await fetch(trained.output.weights); // without the token
  assert.equal(weights.status, 200);
  assert.equal((await weights.arrayBuffer()).byteLength, Number(weights.headers.get('content-length')));
  const found = await replicate.models.get(username, 'from-js');
  assert.equal(`${username}/from-js:${found.latest_version.id}`, trained.output.version);
  tell('training', { version: trained.output.version });

  const long = await replicate.trainings.create('stability-ai', 'sdxl', base.latest_version.id, {
    destination: `${username}/from-js`,
    input: { input_images: (await replicate.files.create(fs.readFileSync(archive))).urls.get, ...inputs, max_train_steps: 5000 },
  });
  await until(long.id, training => training.status === 'processing');
  await replicate.trainings.cancel(long.id);
  const canceled = await until(long.id, over);
  assert.equal(canceled.status, 'canceled');
  assert.ok(canceled.completed_at && canceled.error === null && canceled.output === null);
  tell('cancel', { id: long.id });

  const seen = [];
  for await (const page of replicate.paginate(() => replicate.request('/trainings?limit=1', { method: 'GET' }).then(answer => answer.json()))) seen.push(...page);
  assert.ok(seen.some(training => training.id === started.id) && seen.some(training => training.id === long.id));
  assert.equal(new Set(seen.map(training => training.id)).size, seen.length);
  const searched = await replicate.models.search('from-js');
  assert.equal(searched.results[0].name, 'from-js');
  await assert.rejects(replicate.trainings.create('stability-ai', 'sdxl', base.latest_version.id, {
    destination: `${username}/from-js`, input: { input_images: fs.readFileSync(archive) },
  }), /files\.create/);
  tell('lists', { trainings: seen.length });
  return trained;
}

async function predictions(trained) {
  const small = { width: 64, height: 64, num_inference_steps: 3, seed: 7 };
  const [picture] = await replicate.run(trained.output.version, { input: { prompt: 'a photo of TOK', ...small } });
  const bytes = Buffer.from(await (await picture.blob()).arrayBuffer());
  assert.deepEqual([...bytes.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  tell('run', { bytes: bytes.length });

  const prediction = await replicate.predictions.create({ version: trained.output.version.split(':')[1], input: { prompt: 'x', ...small, num_inference_steps: 500 } });
  await replicate.predictions.cancel(prediction.id);
  assert.equal((await replicate.wait(prediction)).status, 'canceled');

  const { key } = await replicate.webhooks.default.secret.get();
  const told = new Promise(resolve => {
    const server = http.createServer((request, response) => {
      let body = '';
      request.on('data', piece => { body += piece; }).on('end', () => {
        response.end();
        if (JSON.parse(body).status === 'succeeded') { server.close(); resolve({ headers: request.headers, body }); }
      });
    }).listen(0, '127.0.0.2', async () => {
      await replicate.predictions.create({
        version: trained.output.version.split(':')[1], input: { prompt: 'x', ...small },
        webhook: `http://127.0.0.2:${server.address().port}/told`, webhook_events_filter: ['completed'],
      });
    });
  });
  const webhook = await told;
  assert.equal(await Replicate.validateWebhook(webhook, key), true);
  assert.equal(await Replicate.validateWebhook({ ...webhook, body: webhook.body.replace('succeeded', 'failed') }, key), false);
  tell('webhook', { id: webhook.headers['webhook-id'] });
}

trainings().then(trained => (kind === 'all' ? predictions(trained) : null)).then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
