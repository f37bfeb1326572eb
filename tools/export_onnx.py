#!/usr/bin/env python3
"""Makes the ONNX files that no repository offers ready-made, from weights that ./sdxl models pull has brought.

  python3 tools/export_onnx.py blip models/sdxl/blip

reads config.json and model.safetensors (Salesforce/blip-image-captioning-large) there and writes, beside them,

  vision_model.onnx   pixel_values [b,3,s,s] float32                                     -> image_embeds [b,t,h]
  text_decoder.onnx   input_ids [b,l] int64, encoder_hidden_states [b,t,h] float32       -> logits [b,l,v]

with b and l free. Each file is run by ONNX Runtime and compared with torch before it gets its name. Afterwards model.safetensors may be deleted.

Needs torch and numpy (pip install torch numpy, or apt install python3-torch), not transformers: the nets are written out below, under the checkpoint's names.
Runs what it made with Python's onnxruntime, or without that with the one that ./sdxl setup installed for node. Reads no pickle.
Source: transformers models/blip/modeling_blip.py and modeling_blip_text.py 4.57.1; github.com/salesforce/BLIP models/med.py.
"""
import argparse
import inspect
import json
import math
import os
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError as missing:
    sys.exit(f"error: {missing}. Install torch and numpy: pip install torch numpy, or on Debian: apt install python3-torch")

OPSET = 17          # the first with LayerNormalization
TOLERANCE = 1e-3    # |onnx - torch| <= TOLERANCE + TOLERANCE * |torch|: sums of 24 layers in another order
SEED = 7            # of the inputs that torch and ONNX Runtime are compared on

# ---------------------------------------------------------------- BLIP's nets. b batch, l text tokens, t picture tokens, h width, n heads


class VisionAttention(nn.Module):
    def __init__(self, h, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(h, 3 * h)
        self.projection = nn.Linear(h, h)

    def forward(self, x):
        b, t, h = x.shape
        qkv = self.qkv(x).reshape(b, t, 3, self.heads, h // self.heads).permute(2, 0, 3, 1, 4)      # [3,b,n,t,h/n]
        return self.projection(attend(qkv[0], qkv[1], qkv[2]).reshape(b, t, h))


class VisionLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, eps = c["hidden_size"], c["layer_norm_eps"]
        self.self_attn = VisionAttention(h, c["num_attention_heads"])
        self.layer_norm1 = nn.LayerNorm(h, eps=eps)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(h, c["intermediate_size"]), "fc2": nn.Linear(c["intermediate_size"], h)})
        self.layer_norm2 = nn.LayerNorm(h, eps=eps)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp["fc2"](nn.functional.gelu(self.mlp["fc1"](self.layer_norm2(x))))


class VisionEmbeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, patch = c["hidden_size"], c["patch_size"]
        self.class_embedding = nn.Parameter(torch.zeros(1, 1, h))
        self.position_embedding = nn.Parameter(torch.zeros(1, (c["image_size"] // patch) ** 2 + 1, h))
        self.patch_embedding = nn.Conv2d(3, h, patch, patch)

    def forward(self, pixels):
        patches = self.patch_embedding(pixels).flatten(2).transpose(1, 2)                           # [b,t-1,h]
        return torch.cat([self.class_embedding.expand(pixels.shape[0], -1, -1), patches], 1) + self.position_embedding


class VisionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings = VisionEmbeddings(c)
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList([VisionLayer(c) for _ in range(c["num_hidden_layers"])])})
        self.post_layernorm = nn.LayerNorm(c["hidden_size"], eps=c["layer_norm_eps"])

    def forward(self, pixel_values):
        x = self.embeddings(pixel_values)
        for layer in self.encoder["layers"]:
            x = layer(x)
        return self.post_layernorm(x)


class TextAttention(nn.Module):
    """self.query/key/value and output.dense/LayerNorm, which adds what came in: BERT's layout."""

    def __init__(self, c, source):
        super().__init__()
        h = c["hidden_size"]
        self.heads = c["num_attention_heads"]
        self.self = nn.ModuleDict({"query": nn.Linear(h, h), "key": nn.Linear(source, h), "value": nn.Linear(source, h)})
        self.output = nn.ModuleDict({"dense": nn.Linear(h, h), "LayerNorm": nn.LayerNorm(h, eps=c["layer_norm_eps"])})

    def forward(self, x, source, later=None):
        b, l, h = x.shape

        def split(y):
            return y.reshape(b, -1, self.heads, h // self.heads).transpose(1, 2)

        y = attend(split(self.self["query"](x)), split(self.self["key"](source)), split(self.self["value"](source)), later)
        return self.output["LayerNorm"](self.output["dense"](y.reshape(b, l, h)) + x)


class TextLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        h = c["hidden_size"]
        self.attention = TextAttention(c, h)
        self.crossattention = TextAttention(c, c["encoder_hidden_size"])
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(h, c["intermediate_size"])})
        self.output = nn.ModuleDict({"dense": nn.Linear(c["intermediate_size"], h), "LayerNorm": nn.LayerNorm(h, eps=c["layer_norm_eps"])})

    def forward(self, x, picture, later):
        x = self.crossattention(self.attention(x, x, later), picture)
        return self.output["LayerNorm"](self.output["dense"](nn.functional.gelu(self.intermediate["dense"](x))) + x)


class TextDecoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        h, eps = c["hidden_size"], c["layer_norm_eps"]
        self.bert = nn.ModuleDict({
            "embeddings": nn.ModuleDict({
                "word_embeddings": nn.Embedding(c["vocab_size"], h),
                "position_embeddings": nn.Embedding(c["max_position_embeddings"], h),
                "LayerNorm": nn.LayerNorm(h, eps=eps),
            }),
            "encoder": nn.ModuleDict({"layer": nn.ModuleList([TextLayer(c) for _ in range(c["num_hidden_layers"])])}),
        })
        self.cls = nn.ModuleDict({"predictions": nn.ModuleDict({
            "transform": nn.ModuleDict({"dense": nn.Linear(h, h), "LayerNorm": nn.LayerNorm(h, eps=eps)}),
            "decoder": nn.Linear(h, c["vocab_size"]),
        })})

    def forward(self, input_ids, encoder_hidden_states):
        words = self.bert["embeddings"]
        l = input_ids.shape[1]
        at = torch.arange(l)
        x = words["LayerNorm"](words["word_embeddings"](input_ids) + words["position_embeddings"].weight[:l])
        later = at[None, :] > at[:, None]                                                           # [l,l]: what a token must not see
        for layer in self.bert["encoder"]["layer"]:
            x = layer(x, encoder_hidden_states, later)
        head = self.cls["predictions"]
        x = head["transform"]["LayerNorm"](nn.functional.gelu(head["transform"]["dense"](x)))
        return head["decoder"](x)


def attend(q, k, v, later=None):
    """softmax(q k / sqrt(d)) v of [b,n,l,d], heads side by side again: [b,l,n,d]."""
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    if later is not None:
        scores = scores.masked_fill(later, -1e9)
    return (scores.softmax(-1) @ v).transpose(1, 2)


# ---------------------------------------------------------------- weights


def read_safetensors(path):
    """Name -> float32 tensor."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= os.path.getsize(path) - 8:
            sys.exit(f"error: {path} is not a safetensors file: its header would have {size} bytes")
        header = json.loads(file.read(size))
    data = np.memmap(path, np.uint8, "r", 8 + size)
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"].startswith(("I", "U", "BOOL")):
            continue  # position ids: rows counted, not learned
        begin, end = entry["data_offsets"]
        raw = data[begin:end]
        if entry["dtype"] == "BF16":
            values = (raw.view(np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = raw.view({"F32": np.float32, "F16": np.float16, "F64": np.float64}[entry["dtype"]]).astype(np.float32)
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def fill(net, prefix, tensors, ties):
    """Copies every weight of the net from the checkpoint's names; a tied weight is stored under either of two."""
    state, missing = {}, []
    for name, parameter in net.state_dict().items():
        found = next((tensors[prefix + n] for n in [name, *ties.get(name, [])] if prefix + n in tensors), None)
        if found is None:
            missing.append(prefix + name)
        elif found.shape != parameter.shape:
            sys.exit(f"error: {prefix}{name} is {list(found.shape)}, config.json asks for {list(parameter.shape)}: weights and config are of different models")
        else:
            state[name] = found
    if missing:
        sys.exit(f"error: the weights lack {len(missing)} tensors of BLIP, first {', '.join(missing[:5])}")
    net.load_state_dict(state)
    return net.eval()


def load_blip(folder):
    config_path, weights = os.path.join(folder, "config.json"), os.path.join(folder, "model.safetensors")
    if not os.path.exists(weights) or not os.path.exists(config_path):
        pickles = [name for name in sorted(os.listdir(folder)) if name.endswith((".bin", ".pt", ".pth", ".ckpt"))] if os.path.isdir(folder) else []
        sys.exit(f"error: {folder} lacks {'model.safetensors' if os.path.exists(config_path) else 'config.json'}."
                 + (f" {', '.join(pickles)} is a pickle, which can run code when it is read: it is never read here." if pickles else "")
                 + " Get the files with: ./sdxl models pull sdxl --only blip")
    with open(config_path, encoding="utf-8") as file:
        config = json.load(file)
    # What older config.json files leave out are the defaults of transformers' BlipVisionConfig and BlipTextConfig.
    vision = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 384, "patch_size": 16,
              "layer_norm_eps": 1e-5, "hidden_act": "gelu", **config["vision_config"]}
    text = {"vocab_size": 30524, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 8, "max_position_embeddings": 512,
            "layer_norm_eps": 1e-12, "hidden_act": "gelu", "encoder_hidden_size": vision["hidden_size"], **config["text_config"]}
    for part in (vision, text):
        if part["hidden_act"] != "gelu":
            sys.exit(f"error: {config_path} asks for the activation '{part['hidden_act']}'; this script knows gelu")
    tensors = read_safetensors(weights)
    ties = {
        "bert.embeddings.word_embeddings.weight": ["cls.predictions.decoder.weight"],
        "cls.predictions.decoder.weight": ["bert.embeddings.word_embeddings.weight"],
        "cls.predictions.decoder.bias": ["cls.predictions.bias"],
    }
    return vision, text, fill(VisionModel(vision), "vision_model.", tensors, {}), fill(TextDecoder(text), "text_decoder.", tensors, ties)


# ---------------------------------------------------------------- export


def export(net, inputs, names, output, free, path):
    """Traces the net into an ONNX file whose axes named in `free` may have any length."""
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    with torch.no_grad(), warnings.catch_warnings():
        # What the tracer takes for a constant is one (a head's width); the comparison with other lengths would show it if it were not.
        warnings.simplefilter("ignore")
        torch.onnx.export(net, inputs, path, input_names=names, output_names=[output], dynamic_axes=free, opset_version=OPSET, do_constant_folding=True, **options)


def onnx_runner():
    """A function (path, inputs) -> output of ONNX Runtime: Python's, else node's of tools/npm."""
    try:
        import onnxruntime
    except ImportError:
        modules = os.path.join(os.path.dirname(os.path.abspath(__file__)), "npm", "node_modules")
        if not os.path.isdir(os.path.join(modules, "onnxruntime-node")):
            sys.exit("error: what is made must be run and compared, and there is no ONNX Runtime: pip install onnxruntime, or run ./sdxl setup first, which installs node's")
        return lambda path, inputs: run_in_node(modules, path, inputs)
    return lambda path, inputs: onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, inputs)[0]


NODE = """
const [modules, model, folder] = process.argv.slice(1), fs = require('fs'), path = require('path');
const ort = require(path.join(modules, 'onnxruntime-node'));
(async () => {
  const feeds = {};
  for (const {name, type, dims} of JSON.parse(fs.readFileSync(path.join(folder, 'inputs.json')))) {
    const bytes = fs.readFileSync(path.join(folder, name)), copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    feeds[name] = new ort.Tensor(type, type === 'int64' ? new BigInt64Array(copy) : new Float32Array(copy), dims);
  }
  const session = await ort.InferenceSession.create(model), output = (await session.run(feeds))[session.outputNames[0]];
  fs.writeFileSync(path.join(folder, 'output'), Buffer.from(output.data.buffer, output.data.byteOffset, output.data.byteLength));
  fs.writeFileSync(path.join(folder, 'dims.json'), JSON.stringify(output.dims));
})().catch(e => { console.error(String(e)); process.exit(1); });
"""


def run_in_node(modules, path, inputs):
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "inputs.json"), "w", encoding="utf-8") as file:
            json.dump([{"name": n, "type": str(v.dtype), "dims": list(v.shape)} for n, v in inputs.items()], file)
        for name, value in inputs.items():
            np.ascontiguousarray(value).tofile(os.path.join(folder, name))
        done = subprocess.run(["node", "-e", NODE, modules, os.path.abspath(path), folder], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"error: ONNX Runtime cannot run {path}: {done.stderr.strip()[-2000:]}")
        with open(os.path.join(folder, "dims.json"), encoding="utf-8") as file:
            return np.fromfile(os.path.join(folder, "output"), np.float32).reshape(json.load(file))


def compare(net, path, cases, run):
    """Torch against ONNX Runtime on inputs of several sizes; the file is refused where they differ."""
    worst = 0.0
    for inputs in cases:
        with torch.no_grad():
            expected = net(*[torch.from_numpy(value) for value in inputs.values()]).numpy()
        found = run(path, inputs)
        if found.shape != expected.shape:
            sys.exit(f"error: {path} gives {list(found.shape)} where torch gives {list(expected.shape)}; nothing was kept")
        excess = np.abs(found - expected) - TOLERANCE * np.abs(expected)
        worst = max(worst, float(np.abs(found - expected).max()))
        if not float(excess.max()) <= TOLERANCE:
            sys.exit(f"error: {path} differs from torch by {worst:.3g} for inputs {[list(v.shape) for v in inputs.values()]}; tolerance {TOLERANCE:g} + {TOLERANCE:g} of the value. Nothing was kept")
    return worst


def export_blip(folder, output):
    run = onnx_runner()
    vision, text, eye, mouth = load_blip(folder)
    side, tokens = vision["image_size"], (vision["image_size"] // vision["patch_size"]) ** 2 + 1
    draw = np.random.default_rng(SEED)

    def picture(b):
        return draw.standard_normal((b, 3, side, side), np.float32)

    def words(b, l):
        return {"input_ids": draw.integers(0, text["vocab_size"], (b, l)),
                "encoder_hidden_states": draw.standard_normal((b, tokens, text["encoder_hidden_size"]), np.float32)}

    os.makedirs(output, exist_ok=True)
    # Traced with lengths above 1: a length of 1 could be taken for a constant.
    make(eye, (torch.from_numpy(picture(2)),), ["pixel_values"], "image_embeds", {"pixel_values": {0: "b"}, "image_embeds": {0: "b"}},
         os.path.join(output, "vision_model.onnx"), [{"pixel_values": picture(b)} for b in (1, 3)], run)
    traced = words(2, 5)
    make(mouth, tuple(torch.from_numpy(v) for v in traced.values()), list(traced), "logits",
         {"input_ids": {0: "b", 1: "l"}, "encoder_hidden_states": {0: "b"}, "logits": {0: "b", 1: "l"}},
         os.path.join(output, "text_decoder.onnx"), [words(1, 1), words(3, 24)], run)


def make(net, inputs, names, output, free, path, cases, run):
    part = path + ".part"
    try:
        export(net, inputs, names, output, free, part)
        worst = compare(net, part, cases, run)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
    print(f"{path}: {os.path.getsize(path) / 2**20:.1f} MiB, at most {worst:.2g} from torch (tolerance {TOLERANCE:g})", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["blip"])
    parser.add_argument("folder", help="with config.json and model.safetensors")
    parser.add_argument("--output", help="where the ONNX files go; unset: the same folder")
    arguments = parser.parse_args()
    export_blip(arguments.folder, arguments.output or arguments.folder)


if __name__ == "__main__":
    main()
