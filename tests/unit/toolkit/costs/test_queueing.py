"""Queueing: against the recursion, published metrics, and a simulation that knows no formula."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.toolkit.costs.simulation import response_times
from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.queueing import (
    can_serve,
    check_served,
    enough,
    erlang_b,
    erlang_c,
    highest_loads_of,
    response_tail,
)


def recursion(servers, offered):
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = offered * blocked / (server + offered * blocked)
    return blocked


@given(st.integers(1, 300), st.floats(0.01, 300))
def test_erlang_b_is_the_recursion(servers, offered):
    assert erlang_b(servers, offered) == pytest.approx(recursion(servers, offered), rel=1e-9, abs=1e-300)


def test_erlang_c_is_what_pyworkforce_publishes():
    # 100 calls in half an hour, 3 minutes each: 14 positions, 17.41 % wait, 88.84 % answered within 20 s.
    waits = erlang_c(14, 10.0)
    assert waits == pytest.approx(0.1741, abs=5e-5)
    assert 1 - waits * np.exp(-(14 - 10.0) * 20 / 180) == pytest.approx(0.8884, abs=5e-5)


def highest_loads(most, *, service_s, limit_s, cv=1.0):
    """The highest load of 1 to `most` servers of which 95 % is answered within the limit."""
    servers = np.arange(1.0, most + 1)
    return highest_loads_of(servers, np.array([service_s]), limit_s=limit_s, share=0.95, cv=cv).ravel()


def exponential(rng, n):
    return rng.exponential(0.1, n)


@pytest.mark.parametrize(("servers", "load", "limit_s"), [(1, 0.6, 0.3), (4, 3.2, 0.2), (10, 8.0, 0.1), (2, 1.0, 0.1)])
def test_m_m_c_response_times_are_those_of_the_simulation(servers, load, limit_s):
    times = response_times(servers=servers, rate_per_s=load / 0.1, service=exponential, requests=120_000, seed=7)
    said = response_tail(limit_s, servers=servers, rate_per_s=load / 0.1, service_s=0.1)
    assert said == pytest.approx((times > limit_s).mean(), abs=0.02)


@pytest.mark.parametrize("cv", [0.0, 0.2, 0.5, 1.5])
def test_service_that_is_not_exponential_is_nearly_that_of_the_simulation(cv):
    def service(rng, n):
        if cv == 0:
            return np.full(n, 0.1)
        return rng.gamma(1 / cv**2, 0.1 * cv**2, n)

    times = response_times(servers=4, rate_per_s=32, service=service, requests=120_000, seed=11)
    for limit_s in (0.2, 0.3, 0.4):
        said = response_tail(limit_s, servers=4, rate_per_s=32, service_s=0.1, cv=cv)
        # An approximation: a third of the exceedance, or two points, whichever is more.
        assert said == pytest.approx((times > limit_s).mean(), rel=0.35, abs=0.02)


def test_a_load_beyond_the_servers_is_never_served():
    assert response_tail(100.0, servers=2, rate_per_s=20, service_s=0.1) == 1.0


def test_two_equal_rates_merge_without_a_jump():
    # c - a = 1 makes waiting and service end at the same rate: P = e^-t (1 + C t).
    exact = np.exp(-2.0) * (1 + erlang_c(3, 2.0) * 2.0)
    assert response_tail(0.2, servers=3, rate_per_s=20, service_s=0.1) == pytest.approx(exact, rel=1e-5)


@given(st.integers(1, 200), st.floats(0.001, 2.0), st.floats(3.1, 20.0), st.sampled_from([0.0, 0.3, 1.0, 1.4]))
def test_one_server_fewer_would_not_do(peak, service_s, ratio, cv):
    offered = np.array([0.0, peak / 3, float(peak)])
    limit_s = service_s * ratio
    most = enough(float(peak), service_s=service_s, limit_s=limit_s, share=0.95, cv=cv)
    loads = np.concatenate([[0.0], highest_loads(most, service_s=service_s, limit_s=limit_s, cv=cv)])
    needed = np.searchsorted(loads, offered, side="left")
    assert needed[0] == 0
    for load, servers in zip(offered[1:], needed[1:], strict=True):
        rate = load / service_s
        assert response_tail(limit_s, servers=int(servers), rate_per_s=rate, service_s=service_s, cv=cv) <= 0.05 + 1e-6
        if servers > 1:
            fewer = response_tail(limit_s, servers=int(servers) - 1, rate_per_s=rate, service_s=service_s, cv=cv)
            assert fewer > 0.05 - 1e-6


@given(st.floats(0.05, 1.0), st.floats(3.2, 10.0))
def test_more_servers_carry_more_and_better(service_s, ratio):
    loads = highest_loads(64, service_s=service_s, limit_s=service_s * ratio)
    assert (np.diff(loads) > 0).all()
    assert (np.diff(loads / np.arange(1, 65)) > -1e-9).all()  # economies of scale


def test_a_limit_below_the_service_itself_is_refused_in_words():
    with pytest.raises(Invalid, match="No number of replicas answers 95% of requests within 50 ms") as refused:
        check_served(0.1, limit_s=0.05)
    assert (refused.value.code, refused.value.field) == ("load_unserved", "limit_s")
    assert highest_loads(3, service_s=0.1, limit_s=0.05).tolist() == [0, 0, 0]
    assert highest_loads(1, service_s=0.1, limit_s=0.09, cv=0.0).tolist() == [0]
    assert not can_serve(0.1, limit_s=0.09, cv=0.0)


def test_a_load_beyond_all_reason_is_refused_before_it_is_computed():
    with pytest.raises(Invalid, match="60,000 busy servers"):
        enough(60_000.0, service_s=1.0, limit_s=10.0, share=0.95, cv=1.0)


def test_no_answer_comes_before_the_fixed_part_of_the_service():
    assert response_tail(0.08, servers=2, rate_per_s=5, service_s=0.1, cv=0.1) == 1.0
