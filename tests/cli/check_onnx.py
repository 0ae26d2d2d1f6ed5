# SPDX-License-Identifier: Apache-2.0
"""check_onnx.py NETWORK.onnx [test_batch.bin]: has ONNX's checker and its inference of shapes read a network, and with
CIFAR-10's test file runs it, by onnxruntime or by ONNX's reference where that is there. Prints as JSON what the network
is and, where it was run, accuracy and loss."""
import json
import sys

import onnx

model = onnx.load(sys.argv[1])
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
out = {
    "operators": sorted({node.op_type for node in model.graph.node}),
    "metadata": {entry.key: entry.value for entry in model.metadata_props},
    "input": [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim],
    "classes": inferred.graph.output[0].type.tensor_type.shape.dim[1].dim_value,
    "runtime": None,
}


def runner(path):
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return "onnxruntime " + onnxruntime.__version__, lambda images: session.run(None, {"images": images})[0]
    except ImportError:
        pass
    try:
        from onnx.reference import ReferenceEvaluator  # from ONNX 1.13 on
    except ImportError:
        return None, None
    return "onnx.reference", lambda images: ReferenceEvaluator(path).run(None, {"images": images})[0]


if len(sys.argv) > 2:
    import numpy

    out["runtime"], run = runner(sys.argv[1])
    if run:
        records = numpy.fromfile(sys.argv[2], dtype=numpy.uint8).reshape(-1, 3073)
        labels = records[:, 0].astype(int)
        mean, std = (
            numpy.array([float(x) for x in out["metadata"][key].split()], dtype=numpy.float32).reshape(1, 3, 1, 1)
            for key in ("mean", "std")
        )
        images = (records[:, 1:].reshape(-1, 3, 32, 32).astype(numpy.float32) / 255 - mean) / std
        logits = run(images).astype(numpy.float64)
        logits -= logits.max(axis=1, keepdims=True)
        log_probability = logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))
        out["predicted"] = logits.argmax(axis=1).tolist()
        out["loss"] = float(-log_probability[numpy.arange(len(labels)), labels].mean())
print(json.dumps(out))
