"""A far volatility from its peers: exact on a line, steady against a wild one, honest if few."""

from __future__ import annotations

import numpy as np
import pytest

from strikeloom.quant.peers import carry, carry_like_few

NEAR = np.linspace(0.15, 0.6, 40)
FAR = 0.35 * (NEAR / 0.35) ** 0.8
ALL = np.ones(40, dtype=bool)


def test_peers_on_a_line_give_it_back() -> None:
    near = np.append(NEAR, 0.5)
    found = carry(near, np.append(FAR, np.nan), np.append(ALL, False))
    assert found.vol[-1] == pytest.approx(0.35 * (0.5 / 0.35) ** 0.8)
    assert found.error == pytest.approx(0, abs=1e-9)


def test_wild_peers_are_left_out() -> None:
    far = FAR * np.exp(np.random.default_rng(1).normal(0, 0.01, 40))
    far[::10] *= 3
    found = carry(NEAR, far, ALL)
    assert found.peers <= 36
    assert found.vol.tolist() == pytest.approx(FAR.tolist(), rel=0.02)
    assert 0.005 < found.error < 0.02


def test_with_too_few_peers_nothing_is_carried() -> None:
    trusted = ALL.copy()
    trusted[7:] = False
    found = carry(NEAR, FAR, trusted)
    assert np.isnan(found.vol).all()
    assert found.peers == 7
    assert np.isnan(carry(np.array([np.nan]), np.array([0.2]), ALL[:1]).vol).all()


def test_a_handful_is_carried_by_its_mean_ratio_with_an_honest_error() -> None:
    near, far = np.array([0.12, 0.15, 0.2, 0.3]), np.array([0.132, 0.165, 0.22, np.nan])
    trusted = np.array([True, True, True, False])
    found = carry_like_few(near, far, trusted)
    assert found.vol[-1] == pytest.approx(0.33)  # a tenth above, as the others
    # three that agree by chance do not make a fourth certain
    assert found.error == pytest.approx(0.04 * np.sqrt(4 / 3))
    far[1] = 0.15 * 1.3
    steps = np.log([1.1, 1.3, 1.1])
    apart = carry_like_few(near, far, trusted)
    assert apart.vol[-1] == pytest.approx(0.3 * np.exp(steps.mean()))
    assert apart.error == pytest.approx(np.std(steps, ddof=1) * np.sqrt(4 / 3))


def test_one_of_a_handful_is_no_peer() -> None:
    found = carry_like_few(np.array([0.1, 0.2]), np.array([0.11, np.nan]), np.array([True, False]))
    assert np.isnan(found.vol).all()
    assert (found.peers, np.isnan(found.error)) == (1, True)
