import cProfile
import pstats

from tests.billing import test_any_order as t
from tests.billing.test_any_order import world  # noqa


def test_profile(world, workspace, django_capture_on_commit_callbacks, monkeypatch):
    monkeypatch.setattr(t, "SEQUENCES", 120)
    p = cProfile.Profile()
    p.enable()
    try:
        t.test_a_thousand_sequences_end_in_what_stripe_holds(
            world, workspace, django_capture_on_commit_callbacks
        )
    except AssertionError as e:
        print(str(e)[:300])
    p.disable()
    with open("/tmp/stripe/prof.txt", "w") as f:
        s = pstats.Stats(p, stream=f)
        s.sort_stats("cumulative").print_stats(70)
        s.sort_stats("tottime").print_stats(30)
