"""The peer of bench/diffusion: SDXL's U-Net and text encoders in plain PyTorch eager, written as diffusers and PEFT compute them, on Debian's python3-torch.

usage: diffusion.py MODEL_FOLDER CASE WIDTH BATCH THREADS STEPS     CASE: lora | lora-pivot (text computed once) | full | sample
-> one JSON line {"ms": median, "cpu_ms": median processor time, "mib": peak}
Module names are the checkpoint's: the toy's weights load strictly, so nothing of the architecture is missing here. Wider nets have random weights.
"""
import json, math, resource, struct, sys, time
import torch
import torch.nn as nn
import torch.nn.functional as F

folder, case, wide, batch, threads, steps = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:7])
torch.set_num_threads(threads)
try:  # torch with MKL does this by itself; Debian's BLAS has its own threads
    import ctypes
    ctypes.CDLL("libopenblas.so.0").openblas_set_num_threads(threads)
except OSError:
    pass


def attention(q, k, v, heads, causal=False):
    B, T, D = q.shape
    q, k, v = (t.view(B, -1, heads, D // heads).transpose(1, 2) for t in (q, k, v))
    if hasattr(F, "scaled_dot_product_attention"):
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    else:  # torch 1.13
        mixed = torch._C._nn._scaled_dot_product_attention(q, k, v, None, 0.0, False, causal)[0]
    return mixed.transpose(1, 2).reshape(B, T, D)


class LoraLinear(nn.Linear):  # PEFT's forward: base + scale * B(A(x))
    def add_lora(self, rank):
        self.lora_A = nn.Parameter(torch.randn(rank, self.in_features) / rank)
        self.lora_B = nn.Parameter(torch.zeros(self.out_features, rank))

    def forward(self, x):
        y = F.linear(x, self.weight, self.bias)
        return y if not hasattr(self, "lora_A") else y + F.linear(F.linear(x, self.lora_A), self.lora_B) * 1.0


class Attention(nn.Module):
    def __init__(self, width, context, heads):
        super().__init__()
        self.heads = heads
        self.to_q = LoraLinear(width, width, bias=False)
        self.to_k = LoraLinear(context, width, bias=False)
        self.to_v = LoraLinear(context, width, bias=False)
        self.to_out = nn.ModuleList([LoraLinear(width, width), nn.Dropout(0.0)])

    def forward(self, x, context):
        return self.to_out[1](self.to_out[0](attention(self.to_q(x), self.to_k(context), self.to_v(context), self.heads)))


class GEGLU(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.proj = nn.Linear(width, inner * 2)

    def forward(self, x):
        a, b = self.proj(x).chunk(2, -1)
        return a * F.gelu(b)


class FeedForward(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.net = nn.ModuleList([GEGLU(width, width * 4), nn.Dropout(0.0), nn.Linear(width * 4, width)])

    def forward(self, x):
        for part in self.net:
            x = part(x)
        return x


class Block(nn.Module):
    def __init__(self, width, heads, text):
        super().__init__()
        self.norm1, self.attn1 = nn.LayerNorm(width), Attention(width, width, heads)
        self.norm2, self.attn2 = nn.LayerNorm(width), Attention(width, text, heads)
        self.norm3, self.ff = nn.LayerNorm(width), FeedForward(width)

    def forward(self, x, text):
        n = self.norm1(x)
        x = self.attn1(n, n) + x
        x = self.attn2(self.norm2(x), text) + x
        return self.ff(self.norm3(x)) + x


class Transformer(nn.Module):
    def __init__(self, width, heads, layers, text, groups):
        super().__init__()
        self.norm, self.proj_in = nn.GroupNorm(groups, width, 1e-6), nn.Linear(width, width)
        self.transformer_blocks = nn.ModuleList([Block(width, heads, text) for _ in range(layers)])
        self.proj_out = nn.Linear(width, width)

    def forward(self, x, text):
        B, C, H, W = x.shape
        h = self.proj_in(self.norm(x).permute(0, 2, 3, 1).reshape(B, H * W, C))
        for block in self.transformer_blocks:
            h = block(h, text)
        return self.proj_out(h).reshape(B, H, W, C).permute(0, 3, 1, 2).contiguous() + x


class Resnet(nn.Module):
    def __init__(self, i, o, time_width, groups):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(groups, i, 1e-5), nn.Conv2d(i, o, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_width, o)
        self.norm2, self.conv2 = nn.GroupNorm(groups, o, 1e-5), nn.Conv2d(o, o, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(i, o, 1) if i != o else None

    def forward(self, x, t):
        h = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(t))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + h


class Sampler(nn.Module):
    def __init__(self, width, down):
        super().__init__()
        self.down, self.conv = down, nn.Conv2d(width, width, 3, stride=2 if down else 1, padding=1)

    def forward(self, x):
        return self.conv(x if self.down else F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    pass


class Embedding(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(i, o), nn.Linear(o, o)

    def forward(self, x):
        return self.linear_2(F.silu(self.linear_1(x)))


def waves(t, width):
    half = width // 2
    angles = t.float()[:, None] * torch.exp(torch.arange(half) * (-math.log(10000) / half))[None]
    return torch.cat([angles.cos(), angles.sin()], 1)


class UNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        widths = [w * wide for w in c["block_out_channels"]]
        heads = [h * wide for h in c["attention_head_dim"]]
        layers, text, groups, tw = c["transformer_layers_per_block"], c["cross_attention_dim"], c["norm_num_groups"], widths[0] * 4
        self.first, self.add_width = widths[0], c["addition_time_embed_dim"]
        self.conv_in = nn.Conv2d(4, widths[0], 3, padding=1)
        self.time_embedding, self.add_embedding = Embedding(widths[0], tw), Embedding(c["projection_class_embeddings_input_dim"], tw)
        n, per = len(widths), c["layers_per_block"]
        self.down_blocks, self.up_blocks = nn.ModuleList(), nn.ModuleList()
        for i in range(n):
            level, width = Level(), widths[i]
            level.resnets = nn.ModuleList([Resnet((widths[i - 1] if i else widths[0]) if j == 0 else width, width, tw, groups) for j in range(per)])
            if c["down_block_types"][i].startswith("Cross"):
                level.attentions = nn.ModuleList([Transformer(width, heads[i], layers[i], text, groups) for _ in range(per)])
            if i < n - 1:
                level.downsamplers = nn.ModuleList([Sampler(width, True)])
            self.down_blocks.append(level)
        self.mid_block = Level()
        self.mid_block.attentions = nn.ModuleList([Transformer(widths[-1], heads[-1], layers[-1], text, groups)])
        self.mid_block.resnets = nn.ModuleList([Resnet(widths[-1], widths[-1], tw, groups) for _ in range(2)])
        for s in range(n):
            i = n - 1 - s
            level, width, below, skip = Level(), widths[i], widths[min(i + 1, n - 1)], widths[max(i - 1, 0)]
            level.resnets = nn.ModuleList([Resnet((below if j == 0 else width) + (skip if j == per else width), width, tw, groups) for j in range(per + 1)])
            if c["up_block_types"][s].startswith("Cross"):
                level.attentions = nn.ModuleList([Transformer(width, heads[i], layers[i], text, groups) for _ in range(per + 1)])
            if s < n - 1:
                level.upsamplers = nn.ModuleList([Sampler(width, False)])
            self.up_blocks.append(level)
        self.conv_norm_out, self.conv_out = nn.GroupNorm(groups, widths[0], 1e-5), nn.Conv2d(widths[0], 4, 3, padding=1)

    def forward(self, x, t, text, pooled, ids):
        emb = self.time_embedding(waves(t, self.first)) + self.add_embedding(torch.cat([pooled, waves(ids.flatten(), self.add_width).view(len(x), -1)], 1))
        x = self.conv_in(x)
        skips = [x]
        for level in self.down_blocks:
            for j, resnet in enumerate(level.resnets):
                x = resnet(x, emb)
                if hasattr(level, "attentions"):
                    x = level.attentions[j](x, text)
                skips.append(x)
            if hasattr(level, "downsamplers"):
                x = level.downsamplers[0](x)
                skips.append(x)
        x = self.mid_block.resnets[1](self.mid_block.attentions[0](self.mid_block.resnets[0](x, emb), text), emb)
        for level in self.up_blocks:
            for j, resnet in enumerate(level.resnets):
                x = resnet(torch.cat([x, skips.pop()], 1), emb)
                if hasattr(level, "attentions"):
                    x = level.attentions[j](x, text)
            if hasattr(level, "upsamplers"):
                x = level.upsamplers[0](x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class ClipLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        w = c["hidden_size"]
        self.heads, self.quick = c["num_attention_heads"], c["hidden_act"] == "quick_gelu"
        self.self_attn, self.mlp = Level(), Level()
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            setattr(self.self_attn, name, nn.Linear(w, w))
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(w), nn.LayerNorm(w)
        self.mlp.fc1, self.mlp.fc2 = nn.Linear(w, c["intermediate_size"]), nn.Linear(c["intermediate_size"], w)

    def forward(self, x):
        a, n = self.self_attn, self.layer_norm1(x)
        x = x + a.out_proj(attention(a.q_proj(n), a.k_proj(n), a.v_proj(n), self.heads, True))
        h = self.mlp.fc1(self.layer_norm2(x))
        return x + self.mlp.fc2(h * torch.sigmoid(1.702 * h) if self.quick else F.gelu(h))


class Clip(nn.Module):
    def __init__(self, c, project):
        super().__init__()
        w = c["hidden_size"]
        self.text_model = Level()
        self.text_model.embeddings, self.text_model.encoder = Level(), Level()
        self.text_model.embeddings.token_embedding = nn.Embedding(c["vocab_size"], w)
        self.text_model.embeddings.position_embedding = nn.Embedding(77, w)
        self.text_model.encoder.layers = nn.ModuleList([ClipLayer(c) for _ in range(c["num_hidden_layers"])])
        self.text_model.final_layer_norm = nn.LayerNorm(w)
        if project:
            self.text_projection = nn.Linear(w, c["projection_dim"], bias=False)

    def forward(self, ids, rows):
        e, table = self.text_model.embeddings, self.text_model.embeddings.token_embedding.weight
        known = F.embedding(ids.clamp(max=len(table) - 1), table)
        x = torch.where((ids >= len(table))[..., None], F.embedding((ids - len(table)).clamp(min=0), rows), known) + e.position_embedding.weight
        for layer in self.text_model.encoder.layers[:-1]:
            x = layer(x)
        if not hasattr(self, "text_projection"):
            return x, None
        last = self.text_model.final_layer_norm(self.text_model.encoder.layers[-1](x))
        return x, self.text_projection(last[:, 5])


def load(net, path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    types = {"F16": torch.float16, "F32": torch.float32, "I64": torch.int64}
    state = {k: torch.frombuffer(bytearray(data[8 + length + v["data_offsets"][0]: 8 + length + v["data_offsets"][1]]), dtype=types[v["dtype"]]).view(v["shape"]).float()
             for k, v in json.loads(data[8: 8 + length]).items() if k != "__metadata__" and not k.endswith("position_ids")}
    net.load_state_dict(state, strict=True)


config = {net: json.load(open(f"{folder}/{net}/config.json")) for net in ("unet", "text_encoder", "text_encoder_2")}
torch.manual_seed(0)
unet = UNet(config["unet"])
if wide == 1:
    load(unet, f"{folder}/unet/diffusion_pytorch_model.fp16.safetensors")
unet.requires_grad_(case == "full")
side, text_width, pooled_width = 16, config["unet"]["cross_attention_dim"], config["unet"]["projection_class_embeddings_input_dim"] - 6 * config["unet"]["addition_time_embed_dim"]
ids = torch.tensor([[128.0, 128, 0, 0, 128, 128]]).expand(2 * batch, 6)
times = []

if case == "sample":  # one guided step: the net on 2B, then guidance and an Euler step
    x, text, pooled = torch.randn(batch, 4, side, side), torch.randn(2 * batch, 77, text_width), torch.randn(2 * batch, pooled_width)
    with torch.no_grad():
        for i in range(steps + 3):
            start, used = time.perf_counter(), time.process_time()
            out = unet(torch.cat([x, x]) / 1.5, torch.full((2 * batch,), 500.0), text, pooled, ids)
            e0, e1 = out.chunk(2)
            x = x + (e0 + 4 * (e1 - e0)) * -0.05
            times.append((time.perf_counter() - start, time.process_time() - used))
else:
    clips = [Clip(config["text_encoder"], False), Clip(config["text_encoder_2"], True)]
    for clip, net in zip(clips, ("text_encoder", "text_encoder_2")):
        load(clip, f"{folder}/{net}/model.fp16.safetensors")
        clip.requires_grad_(False)
    rows = [nn.Parameter(torch.randn(2, config[n]["hidden_size"]) * 0.02) for n in ("text_encoder", "text_encoder_2")]
    if case.startswith("lora"):
        for module in unet.modules():
            if isinstance(module, LoraLinear):
                module.add_lora(16)
    trained = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW([{"params": trained, "lr": 5e-4, "weight_decay": 1e-4}, {"params": rows, "lr": 5e-3, "weight_decay": 1e-3}])
    alphas = torch.cumprod(1 - torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, 1000) ** 2, 0)
    tokens = torch.full((batch, 77), 1)
    tokens[:, 4], tokens[:, 5] = len(clips[0].text_model.embeddings.token_embedding.weight), len(clips[0].text_model.embeddings.token_embedding.weight) + 1
    mean, deviation, mask = torch.randn(batch, 4, side, side), torch.rand(batch, 4, side, side) * 0.1, torch.ones(batch, 1, side, side)
    encode = lambda: (clips[0](tokens, rows[0]), clips[1](tokens, rows[1]))
    if case == "lora-pivot":
        with torch.no_grad():
            cached = encode()
        rows = []
    for i in range(steps + 3):
        start, used = time.perf_counter(), time.process_time()
        z, noise, t = mean + deviation * torch.randn_like(mean), torch.randn_like(mean), torch.randint(0, 1000, (batch,))
        a = alphas[t].view(-1, 1, 1, 1)
        (s1, _), (s2, pooled) = cached if case == "lora-pivot" else encode()
        out = unet(a.sqrt() * z + (1 - a).sqrt() * noise, t, torch.cat([s1, s2], -1), pooled, ids[:batch])
        loss = (((out - noise) ** 2 * mask).mean([1, 2, 3]) / mask.mean([1, 2, 3])).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained + rows, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        times.append((time.perf_counter() - start, time.process_time() - used))

ms, cpu_ms = (sorted(t[i] for t in times[3:])[len(times[3:]) // 2] * 1000 for i in (0, 1))
print(json.dumps({"ms": ms, "cpu_ms": cpu_ms, "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
