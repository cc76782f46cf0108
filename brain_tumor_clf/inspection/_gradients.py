"""Feature maps and their gradients: the only code that differs between backends."""

import inspect
import weakref

import keras
import numpy as np
from keras import ops

# A power of two, so that it cancels exactly: gradients in float16 would underflow.
_LOSS_SCALE = 1024.0
_FAR_BELOW = -1e9  # a logit that counts for nothing in a sum of exponentials
# Of each network what TensorFlow compiled, by layers and shape of an image.
_COMPILED = weakref.WeakKeyDictionary()


def maps_and_gradients(network, layers, images, outputs):
    """Feature maps, and the gradients of each image's score with respect to them.

    The score is the log-odds of a class: its logit, less the logarithm of the summed
    exponentials of the other logits; the logit or its negative where there is but one.

    Parameters
    ----------
    network : keras.Model
        A functional network from images to logits ``(n, n_outputs)``.
    layers : list of keras.Layer
        Layers of `network` whose outputs are maps ``(n, h, w, c)``.
    images : ndarray of shape (n, H, W, C)
        A batch, with values 0..255.
    outputs : ndarray of shape (n,), int
        The class of each image: a position among the logits, or 0 or 1 where there is
        one logit, for the class that it speaks against and for.

    Returns
    -------
    maps, gradients : list of ndarray of shape (n, h, w, c), float32
        One of each a layer.

    Raises
    ------
    NotImplementedError
        Under a Keras backend other than TensorFlow, JAX and PyTorch.
    """
    backend = keras.backend.backend()
    if backend not in _BACKENDS:
        raise NotImplementedError(
            f"Gradients are computed under TensorFlow, JAX and PyTorch, not {backend}. "
            "occlusion_map needs none."
        )
    weights = _score_weights(outputs, network.output_shape[-1])
    images = np.asarray(images, dtype="float32")
    maps, gradients = _BACKENDS[backend](network, layers, images, weights)
    gradients = [_to_numpy(each) / _LOSS_SCALE for each in gradients]
    return [_to_numpy(each) for each in maps], gradients


def _score_weights(outputs, n_outputs):
    """Of each logit, its sign in the score: 1, or -1 for the others."""
    outputs = np.asarray(outputs)
    if n_outputs == 1:
        return np.where(outputs, 1.0, -1.0).astype("float32")[:, None]
    return np.where(np.arange(n_outputs) == outputs[:, None], 1.0, -1.0).astype(
        "float32"
    )


def _total_score(logits, weights):
    """The scores of all images, summed: no image acts on another's."""
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
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def _probe(network, layers):
    """A network of the same layers that puts out their maps beside the logits."""
    return keras.Model(
        network.inputs, [*(layer.output for layer in layers), network.output]
    )


def _with_tensorflow(network, layers, images, weights):
    import tensorflow as tf

    functions = _COMPILED.setdefault(network, {})
    key = (*(layer.name for layer in layers), images.shape[1:])
    if key not in functions:
        functions[key] = _compile(network, layers, images.shape[1:])
    # Tensors, for where functions are set to run eagerly and convert nothing.
    return functions[key](tf.constant(images), tf.constant(weights))


def _compile(network, layers, image_shape):
    """A TensorFlow function; compiling takes as long as two calls without it."""
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
    import torch

    images = ops.convert_to_tensor(images).requires_grad_()
    *maps, logits = _probe(network, layers)([images], training=False)
    score = _total_score(logits, weights)
    return maps, torch.autograd.grad(score, maps)


def _with_jax(network, layers, images, weights):
    import jax

    names = [layer.name for layer in layers]

    def score(offsets):
        # JAX differentiates with respect to what is given: zeros, added to the maps.
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

        # The one private method: Keras' own way to put something around each layer.
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
