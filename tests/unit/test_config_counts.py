"""How many places in the journal the members can tell each other of."""

from __future__ import annotations

from tandem.config.verify_counts import cursors
from tests.support.configs import example, parsed

PROBE = '[[slave.center]]\nname = "probe"'


def with_centers(many: int, session: str) -> dict[str, str]:
    """The example group with so many more centers, each of them with its own front end."""
    more = "".join(
        f'[[slave.center]]\nname = "c{n}"\nsession = "{session}"\nhosts = ["10.0.{n}.1"]\n' for n in range(many)
    )
    return example(("gateway.toml", PROBE, more + PROBE))


def test_as_many_as_one_hello_bears_and_one_more() -> None:
    config, said = parsed(example())
    assert config is not None and not [text for text in said if "places in the journal" in text]
    room = 255 - cursors(config)
    config, said = parsed(with_centers(room, "group"))
    assert config is not None and cursors(config) == 255, said
    config, said = parsed(with_centers(room + 1, "group"))
    (sentence,) = [text for text in said if "places in the journal" in text]
    assert config is None and "are 256 places" in sentence and "to another group" in sentence


def test_a_center_with_a_buffer_on_each_member_counts_twice() -> None:
    config, _ = parsed(example())
    assert config is not None
    config, said = parsed(with_centers((255 - cursors(config)) // 2 + 1, "each-member"))
    assert config is None and any("places in the journal" in text for text in said)
