"""Which layers of a network to look at, by name."""

from brain_tumor_clf._validation import nearest_name
from brain_tumor_clf.networks import has_spatial_output, stage_layers


def find_layers(network, names):
    """The layers of these names, if they put out maps.

    Parameters
    ----------
    network : keras.Model
    names : str or sequence of str

    Returns
    -------
    list of keras.Layer

    Raises
    ------
    ValueError
        If there is no such layer, or its output is no map; the message names the
        nearest.
    """
    names = [names] if isinstance(names, str) else list(names)
    by_name = {layer.name: layer for layer in network.layers}
    stages = [layer.name for layer in stage_layers(network)]
    advice = f"The last layer of each resolution: {', '.join(stages)}."
    if not names:
        raise ValueError(f"layer must name at least one layer, got none. {advice}")
    for name in names:
        if name not in by_name:
            maps = [n for n, layer in by_name.items() if has_spatial_output(layer)]
            near = nearest_name(name, maps)
            hint = f" Did you mean {near!r}?" if near else ""
            raise ValueError(f"Unknown layer {name!r}.{hint} {advice}")
        if not has_spatial_output(by_name[name]):
            shape = tuple(by_name[name].output.shape)
            raise ValueError(
                f"Layer {name!r} puts out {shape}, no maps (n, height, width, "
                f"channels). {advice}"
            )
    return [by_name[name] for name in names]
