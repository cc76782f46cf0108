"""Feature maps and their gradients, for each backend of Keras."""

import inspect
import weakref

import keras
import numpy as np
from keras import ops

_LOSS_SCALE = 1024.0  # float16 gradients would underflow; a power of two is exact
_FAR_BELOW = -1e9  # a logit that does not count in a sum of exponentials
# TensorFlow functions of each network, by layers and image shape.
_COMPILED = weakref.WeakKeyDictionary()


def maps_and_gradients(network, layers, images, outputs):
    """Return feature maps, and gradients of each image's score with respect to them.

    The score is the log-odds of a class: its logit minus the log-sum-exp of the other
    logits; of a single logit, the logit or its negative. `outputs` are the positions of
    the classes. Both lists have one float32 array (n, h, w, c) for each layer.
    """
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise NotImplementedError(
            f"Gradients need TensorFlow, JAX or PyTorch, got {backend}. occlusion_map "
            "needs no gradients."
        )
    weights = _score_weights(outputs, network.output_shape[-1])
    images = np.asarray(images, dtype="float32")
    maps, gradients = _BACKENDS[backend](network, layers, images, weights)
    gradients = [_to_numpy(each) / _LOSS_SCALE for each in gradients]
    return [_to_numpy(each) for each in maps], gradients


def _score_weights(outputs, n_outputs):
    """Return 1 for the logit of the class and -1 for others, (n, n_outputs)."""
    outputs = np.asarray(outputs)[:, None]
    is_own = outputs == (1 if n_outputs == 1 else np.arange(n_outputs))
    return np.where(is_own, 1.0, -1.0).astype("float32")


def _total_score(logits, weights):
    """Return the sum of the scores of all images, which are independent."""
    logits = ops.cast(logits, "float32")
    weights = ops.convert_to_tensor(weights)
    if weights.shape[-1] == 1:
        scores = logits * weights
    else:
        own = ops.sum(ops.where(weights > 0, logits, 0.0), axis=-1)
        others = ops.where(weights > 0, _FAR_BELOW, logits)
        scores = own - ops.logsumexp(others, axis=-1)
    return _LOSS_SCALE * ops.sum(scores)


def _to_numpy(tensor):
    """Return a tensor as a float32 array."""
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def _probe(network, layers):
    """Return a network with the same layers whose outputs are maps and logits."""
    return keras.Model(
        network.inputs, [*(layer.output for layer in layers), network.output]
    )


def _with_tensorflow(network, layers, images, weights):
    """Compute maps and gradients with TensorFlow."""
    import tensorflow as tf

    functions = _COMPILED.setdefault(network, {})
    key = (*(layer.name for layer in layers), images.shape[1:])
    if key not in functions:
        functions[key] = _compile(network, layers, images.shape[1:])
    # Functions that are set to run eagerly do not convert arrays to tensors.
    return functions[key](tf.constant(images), tf.constant(weights))


def _compile(network, layers, image_shape):
    """Return a TensorFlow function; compiling pays off from the third call on."""
    import tensorflow as tf

    probe = _probe(network, layers)

    def maps_and_gradients(images, weights):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(images)
            *maps, logits = probe([images], training=False)
            score = _total_score(logits, weights)
        return maps, tape.gradient(score, maps)

    shapes = (None, *image_shape), (None, network.output_shape[-1])
    return tf.function(
        maps_and_gradients, [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    )


def _with_torch(network, layers, images, weights):
    """Compute maps and gradients with PyTorch."""
    import torch

    images = ops.convert_to_tensor(images).requires_grad_()
    *maps, logits = _probe(network, layers)([images], training=False)
    score = _total_score(logits, weights)
    return maps, torch.autograd.grad(score, maps)


def _with_jax(network, layers, images, weights):
    """Compute maps and gradients with JAX, by way of zeros added to the maps."""
    import jax

    names = [layer.name for layer in layers]

    def score(offsets):
        maps = {}

        def tapped(operation):
            def call(*args, **kwargs):
                if "training" in inspect.signature(operation.call).parameters:
                    kwargs["training"] = False
                result = operation(*args, **kwargs)
                if operation.name in offsets:
                    result = result + offsets[operation.name]
                    maps[operation.name] = result
                return result

            return call

        # A private method of Keras, which has no public one that wraps each layer.
        result = network._run_through_graph([images], operation_fn=tapped)
        (logits,) = keras.tree.flatten(result)
        return _total_score(logits, weights), maps

    offsets = {
        layer.name: jax.numpy.zeros(
            (len(images), *layer.output.shape[1:]), layer.compute_dtype
        )
        for layer in layers
    }
    gradients, maps = jax.grad(score, has_aux=True)(offsets)
    return [maps[name] for name in names], [gradients[name] for name in names]


_BACKENDS = {
    "tensorflow": _with_tensorflow,
    "jax": _with_jax,
    "torch": _with_torch,
}
