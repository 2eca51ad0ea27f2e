"""The reference client clock: when an epoch ends, which anchor is kept, and what a stamp says."""

import json

from client_sdk_spec.clock import ANCHORS, EPOCHS, Anchor
from ingest.edge.receive import read_stamp
from ingest.model import Anchor as Parsed
from ingest.model import SendStamp
from tests.batches import NOW_US
from tests.pipeline.clocks import Device

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US


def parsed(device: Device, batch_epoch: str, *, background: bool = False) -> SendStamp:
    stamp = read_stamp(device.client.stamp(batch_epoch, background=background))
    assert stamp is not None
    return stamp


def test_a_clock_that_counts_sleep_counts_steps_of_the_wall_clock_and_stays_in_its_epoch():
    device = Device(counts_sleep=True)
    device.sleep(8 * HOUR_US)
    device.set_wall(HOUR_US)
    device.set_wall(-HOUR_US)
    device.set_wall(200_000)
    clock = device.client.sealed()
    assert clock == {
        "kind": "mono",
        "epoch": "epoch-0",
        "mono_us": device.mono(),
        "wall_us": device.wall(),
        "steps": 2,
    }


def test_a_clock_that_may_stop_begins_an_epoch_after_a_sleep_and_tells_the_older_one_as_it_was():
    device = Device(counts_sleep=False)
    device.wait(SECOND_US)
    then = device.client.sealed()
    device.sleep(8 * HOUR_US)
    device.wait(SECOND_US)
    assert device.client.epoch == "epoch-1"
    assert device.client.sealed("epoch-0") == then
    assert device.client.sealed()["mono_us"] == then["mono_us"] + SECOND_US
    assert parsed(device, "epoch-0").bridge_us == 8 * HOUR_US
    assert parsed(device, "epoch-1").bridge_us is None


def test_a_bridge_over_jumps_of_both_signs_is_not_sent():
    device = Device(counts_sleep=False)
    device.sleep(HOUR_US)
    device.sleep(2 * HOUR_US)
    assert parsed(device, "epoch-0").bridge_us == 3 * HOUR_US
    device.set_wall(-HOUR_US)
    assert parsed(device, "epoch-0").bridge_us is None
    assert parsed(device, "epoch-2").bridge_us == -HOUR_US


def test_an_anchor_is_kept_until_a_better_one_comes_or_it_has_grown_stale():
    device = Device()
    device.exchange(20_000, 20_000)
    sharp = device.client.anchors["epoch-0"]
    device.wait(SECOND_US)
    device.exchange(50_000, 50_000)
    assert device.client.anchors["epoch-0"] == sharp
    device.exchange(5_000, 5_000)
    sharper = device.client.anchors["epoch-0"]
    assert sharper.err_us < sharp.err_us
    device.wait(HOUR_US)
    device.exchange(50_000, 50_000)
    assert device.client.anchors["epoch-0"].err_us > sharp.err_us
    assert device.client.rtt_us == 10_000


def test_an_answer_across_a_sleep_makes_no_anchor():
    device = Device(counts_sleep=False)
    sent = device.mono()
    device.sleep(HOUR_US)
    device.client.answered(sent, device.mono(), device.now_us - 1_000, device.now_us)
    assert device.client.anchors == {}


def test_the_anchor_of_the_batchs_own_epoch_is_sent_else_that_of_the_current_one():
    device = Device(counts_sleep=False)
    device.exchange(20_000, 20_000)
    own = device.client.anchors["epoch-0"]
    device.sleep(HOUR_US)
    assert parsed(device, "epoch-0").anchor == Parsed(*own, epoch="epoch-0")
    assert parsed(device, "epoch-1").anchor is None
    device.sleep(HOUR_US)
    device.exchange(30_000, 30_000)
    current = device.client.anchors["epoch-2"]
    assert parsed(device, "epoch-0").anchor == Parsed(*own, epoch="epoch-0")
    assert parsed(device, "epoch-1").anchor == Parsed(*current, epoch="epoch-2")


def test_a_stamp_says_when_it_was_made_by_both_clocks():
    device = Device(wall_error_us=-5 * SECOND_US)
    device.exchange(20_000, 30_000)
    stamp = parsed(device, "epoch-0", background=True)
    assert (stamp.mono_us, stamp.wall_us, stamp.epoch) == (device.mono(), device.now_us - 5 * SECOND_US, "epoch-0")
    assert (stamp.rtt_us, stamp.background) == (50_000, True)
    assert stamp.anchor is not None
    assert NOW_US - 5 * SECOND_US - stamp.anchor.err_us <= stamp.anchor.offset_us <= NOW_US - 5 * SECOND_US + 5_000


def test_anchors_survive_a_reboot_as_json_and_bridges_do_not():
    device = Device()
    device.exchange(20_000, 20_000)
    own = device.client.anchors["epoch-0"]
    saved = json.dumps(device.client.anchors)
    assert {epoch: Anchor(*values) for epoch, values in json.loads(saved).items()} == {"epoch-0": own}
    device.reboot(keeping_anchors=True)
    stamp = parsed(device, "epoch-0")
    assert stamp.anchor == Parsed(*own, epoch="epoch-0")
    assert (stamp.epoch, stamp.bridge_us) == ("epoch-1", None)


def test_epochs_and_anchors_that_are_remembered_are_few():
    device = Device(counts_sleep=False)
    for _ in range(3 * EPOCHS):
        device.exchange(20_000, 20_000)
        device.sleep(HOUR_US)
    assert len(device.client.anchors) <= EPOCHS + 1
    assert parsed(device, "epoch-0").bridge_us is None


def test_a_batch_that_waited_goes_with_the_anchor_that_is_nearest_to_its_spans():
    device = Device(counts_sleep=True)
    device.exchange(up_us=20_000, down_us=20_000)
    early = device.mono()
    device.wait(30 * HOUR_US)
    device.exchange(up_us=10_000, down_us=10_000)
    near = read_stamp(device.client.stamp("epoch-0", early))
    assert near is not None
    assert near.anchor is not None
    assert near.anchor.at_us == early
    newest = parsed(device, "epoch-0").anchor
    assert newest is not None
    assert newest.at_us == device.mono(), "without a place it is the best one for now"


def test_of_many_anchors_a_few_are_kept_that_are_spread_over_the_epoch():
    device = Device(counts_sleep=True)
    made = []
    for _ in range(5 * ANCHORS):
        device.exchange(up_us=20_000, down_us=20_000)
        made.append(device.mono())
        device.wait(HOUR_US)
    found = {parsed_near(device, at_us) for at_us in made}
    assert len(found) == ANCHORS
    assert {made[0], made[-1]} <= found
    assert max(min(abs(at_us - kept) for kept in found) for at_us in made) < 10 * HOUR_US, "none is far from all"


def parsed_near(device: Device, mono_us: int) -> int:
    stamp = read_stamp(device.client.stamp("epoch-0", mono_us))
    assert stamp is not None
    assert stamp.anchor is not None
    return stamp.anchor.at_us
