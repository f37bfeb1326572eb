#!/usr/bin/env python3
"""python3 tools/test_export_onnx.py: takes the toy BLIP's ONNX files apart into a checkpoint under BLIP's names, exports that, and compares what comes out with the toy's own files.

Needs what export_onnx.py needs, and onnx (pip install onnx, or apt install python3-onnx).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import export_onnx

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOY = os.path.join(ROOT, "models", "blip")


def weights_of(path, prefix):
    """The file's parameters. A matrix product's constant has lost its name and is transposed; the product's own name tells whose it is: /m/…/fc1/MatMul."""
    graph = onnx.load(path).graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    found = {prefix + name[2:]: value for name, value in constants.items() if name.startswith("m.")}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in constants:
            found[prefix + ".".join(node.name.split("/")[2:-1]) + ".weight"] = constants[node.input[1]].T
    return found


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": {"float32": "F32", "float16": "F16"}[str(value.dtype)], "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value).tobytes())


class BlipExport(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copy(os.path.join(TOY, "config.json"), self.folder)
        self.tensors = {**weights_of(os.path.join(TOY, "vision_model.onnx"), "vision_model."), **weights_of(os.path.join(TOY, "text_decoder.onnx"), "text_decoder.")}

    def export(self):
        return subprocess.run([sys.executable, os.path.join(ROOT, "tools", "export_onnx.py"), "blip", self.folder], capture_output=True, text=True)

    def test_the_exported_files_give_what_the_toys_own_files_give(self):
        write_safetensors(os.path.join(self.folder, "model.safetensors"), self.tensors)
        done = self.export()
        self.assertEqual((0, 2), (done.returncode, done.stdout.count("from torch")), done.stdout + done.stderr)
        run, draw = export_onnx.onnx_runner(), np.random.default_rng(1)
        pixels = {"pixel_values": draw.standard_normal((2, 3, 64, 64), np.float32)}
        embeds = self.same("vision_model.onnx", pixels, run)
        for length in (1, 7):
            self.same("text_decoder.onnx", {"input_ids": draw.integers(0, 152, (2, length)), "encoder_hidden_states": embeds}, run)
        for name in ("vision_model.onnx", "text_decoder.onnx"):
            ours, theirs = (onnx.load(os.path.join(where, name)).graph for where in (self.folder, TOY))
            for ports in ("input", "output"):
                self.assertEqual([(p.name, p.type.tensor_type.elem_type) for p in getattr(theirs, ports)], [(p.name, p.type.tensor_type.elem_type) for p in getattr(ours, ports)])

    def same(self, name, inputs, run):
        theirs, ours = (run(os.path.join(where, name), inputs) for where in (TOY, self.folder))
        self.assertEqual(theirs.shape, ours.shape)
        print(f"{name} {[list(v.shape) for v in inputs.values()]}: at most {np.abs(ours - theirs).max():.2g} from the toy's own")
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)
        return theirs

    def test_a_tied_weight_is_found_under_either_name(self):
        words = self.tensors.pop("text_decoder.bert.embeddings.word_embeddings.weight")
        np.testing.assert_array_equal(words, self.tensors["text_decoder.cls.predictions.decoder.weight"])
        write_safetensors(os.path.join(self.folder, "model.safetensors"), self.tensors)
        self.assertEqual(0, self.export().returncode)

    def test_half_precision_weights_are_widened(self):
        write_safetensors(os.path.join(self.folder, "model.safetensors"), {n: v.astype(np.float16) for n, v in self.tensors.items()})
        self.assertEqual(0, self.export().returncode)

    def test_a_pickle_alone_is_refused_with_the_command_that_brings_the_right_file(self):
        open(os.path.join(self.folder, "pytorch_model.bin"), "w").close()
        self.refused("pytorch_model.bin is a pickle", "./sdxl models pull sdxl --only blip")

    def test_weights_of_another_model_are_refused_by_name(self):
        wrong = dict(self.tensors)
        del wrong["vision_model.post_layernorm.bias"]
        write_safetensors(os.path.join(self.folder, "model.safetensors"), wrong)
        self.refused("lack 1 tensors of BLIP, first vision_model.post_layernorm.bias")
        wrong["vision_model.post_layernorm.bias"] = np.zeros(7, np.float32)
        write_safetensors(os.path.join(self.folder, "model.safetensors"), wrong)
        self.refused("vision_model.post_layernorm.bias is [7], config.json asks for [96]")

    def refused(self, *parts):
        done = self.export()
        self.assertEqual(1, done.returncode)
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertFalse([name for name in os.listdir(self.folder) if ".onnx" in name])


if __name__ == "__main__":
    unittest.main()
