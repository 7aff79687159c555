"""One ack for each announcement: when it was painted and its sound is known, or has kept it waiting."""

from display_agent.board import mark_of
from display_agent.proof import Proof, ProofKeeper

from .boards import after, call, seconds

MARK = mark_of(call(1, 0))


def test_painted_and_heard_is_proven_once() -> None:
    proofs = ProofKeeper()
    proofs.paint(MARK, after(1), seconds(1), sound_expected=True)
    assert proofs.take(seconds(1.1)) == []
    proofs.hear(MARK, "playing")
    assert proofs.take(seconds(1.2)) == [Proof(MARK, after(1), sounded=True)]
    proofs.paint(MARK, after(2), seconds(2), sound_expected=True)
    proofs.hear(MARK, "ended")
    assert proofs.take(seconds(9)) == []


def test_a_sound_that_failed_is_told() -> None:
    proofs = ProofKeeper()
    proofs.hear(MARK, "failed")
    proofs.paint(MARK, after(1), seconds(1), sound_expected=True)
    assert proofs.take(seconds(1)) == [Proof(MARK, after(1), sounded=False)]


def test_a_sound_that_does_not_come_holds_the_proof_for_three_seconds() -> None:
    proofs = ProofKeeper()
    proofs.paint(MARK, after(1), seconds(1), sound_expected=True)
    assert proofs.take(seconds(3.9)) == []
    assert proofs.take(seconds(4)) == [Proof(MARK, after(1), sounded=False)]


def test_without_a_sound_to_come_painting_is_enough() -> None:
    proofs = ProofKeeper()
    proofs.paint(MARK, after(1), seconds(1), sound_expected=False)
    assert proofs.take(seconds(1)) == [Proof(MARK, after(1), sounded=False)]


def test_only_the_first_paint_counts() -> None:
    proofs = ProofKeeper()
    proofs.paint(MARK, after(1), seconds(1), sound_expected=True)
    proofs.paint(MARK, after(3), seconds(3), sound_expected=True)
    assert proofs.take(seconds(4)) == [Proof(MARK, after(1), sounded=False)]


def test_proven_before_a_restart_stays_proven() -> None:
    proofs = ProofKeeper(proven=[MARK])
    proofs.paint(MARK, after(1), seconds(1), sound_expected=False)
    assert proofs.take(seconds(5)) == []
