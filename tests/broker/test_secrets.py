"""What is derived from the broker's key."""

from broker.secrets import rules_secret
from common.keys import generate


def test_the_secret_is_the_keys_own_and_shows_nothing_of_it() -> None:
    one, two = generate(), generate()
    assert rules_secret(one) == rules_secret(one) != rules_secret(two)
    assert rules_secret(one) != one.secret
