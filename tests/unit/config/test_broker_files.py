"""The broker in a folder: several processes write and read at once, and some are killed meanwhile."""

import subprocess
import sys
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Queue, pools

from config.broker import files as file_broker
from config.broker import options as brokers

WRITER = """
import sys
from pathlib import Path
from kombu import Connection
from config.broker import files as file_broker
from config.broker import options as brokers
file_broker.install()
folder, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
options = brokers.transport_options("filesystem://", folder=folder)
with Connection("filesystem://", transport_options=options) as connection:
    queue = connection.SimpleQueue(name)
    for number in range(count):
        queue.put({"number": number, "text": "x" * 20_000})
    queue.close()
"""


@pytest.fixture
def connection(tmp_path: Path):
    (tmp_path / "broker").mkdir()
    file_broker.install()
    options = brokers.transport_options("filesystem://", folder=tmp_path / "broker")
    with Connection("filesystem://", transport_options=options) as connection:
        yield connection


def writer(folder: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder / "broker"), name, str(count)])


def test_readers_get_every_message_whole_while_others_write(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("effects")
    writers = [writer(tmp_path, "effects", 300) for _ in range(3)]
    seen = []
    while len(seen) < 900:
        message = queue.get(timeout=60)
        assert message.payload["text"] == "x" * 20_000
        seen.append(message.payload["number"])
        message.ack()
    assert [process.wait(60) for process in writers] == [0, 0, 0]
    assert sorted(seen) == sorted([*range(300)] * 3)


def test_all_queues_are_known_that_processes_declare_at_once(connection: Connection, tmp_path: Path) -> None:
    names = [f"queue{number}" for number in range(6)]
    processes = [writer(tmp_path, name, 1) for name in names]
    assert [process.wait(60) for process in processes] == [0] * 6
    channel = connection.channel()
    assert {row.queue for name in names for row in channel.get_table(name)} == set(names)


def test_a_message_goes_to_the_folder_and_no_host_is_logged(
    connection: Connection, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pools.producers[connection].acquire(block=True, timeout=60) as producer:
        producer.publish({"number": 1}, routing_key="effects", declare=[Queue("effects", routing_key="effects")])
    assert [path.suffixes for path in (tmp_path / "broker").glob("*.msg")] == [[".effects", ".msg"]]
    assert (connection.info()["hostname"], caplog.messages) == (None, [])


def test_a_message_that_was_half_written_is_dropped(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("damaged")
    (tmp_path / "broker" / "1_a.damaged.msg").write_text('{"body": "e30')
    (tmp_path / "broker" / "2_b.damaged.msg").write_text("")
    queue.put({"number": 1})
    assert queue.get(timeout=60).payload == {"number": 1}
    (tmp_path / "broker" / "0_c.damaged.msg.part").write_text("{")
    with pytest.raises(Empty):
        queue.get_nowait()


def test_a_queue_that_is_deleted_leaves_no_message_and_no_entry(connection: Connection, tmp_path: Path) -> None:
    queue = connection.SimpleQueue("deleted")
    queue.put({"number": 1})
    channel = connection.channel()
    assert len(channel.get_table("deleted")) == 1
    queue.queue(channel).delete()
    assert channel.get_table("deleted") == []
    assert not list((tmp_path / "broker").glob("*.msg"))


def test_a_folder_that_is_gone_is_an_error_of_the_channel(connection: Connection, tmp_path: Path) -> None:
    connection.SimpleQueue("gone").put({"number": 1})
    for each in sorted((tmp_path / "broker").rglob("*"), reverse=True):
        each.unlink() if each.is_file() else each.rmdir()
    (tmp_path / "broker").rmdir()
    channel = connection.channel()
    with pytest.raises(connection.channel_errors, match="cannot be written"):
        channel._put("gone", {})
    with pytest.raises(connection.channel_errors, match="cannot be changed"):
        channel._queue_bind("gone", "", "", "gone")
