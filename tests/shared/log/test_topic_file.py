"""Rows of one commit go to the file in few statements, all of them or none."""

import sqlite3
from pathlib import Path

import pytest

from shared.log.port import Bounds, Topic
from shared.log.topic_file import Row, TopicFile

TOPIC = Topic("t", 3, None)


def rows(count: int) -> list[Row]:
    return [(number % 3, b"key", b"%d" % number) for number in range(count)]


def test_many_rows_take_few_statements(tmp_path: Path) -> None:
    file, said = TopicFile(tmp_path / "t.db", TOPIC), []
    file._connection.set_trace_callback(said.append)
    file.append(rows(5 * 64 + 7), 0)
    assert len(said) < 20
    file.close()


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 200])
def test_every_row_is_where_its_partition_has_come_to(tmp_path: Path, count: int) -> None:
    file = TopicFile(tmp_path / "t.db", TOPIC)
    file.append(rows(count), 0)
    file.append(rows(1), 0)
    read = [record for number in range(3) for record in file.records(number, 0, 1_000)]
    expected = [(n % 3, n // 3, b"%d" % n) for n in range(count)] + [(0, (count + 2) // 3, b"0")]
    assert sorted((one.partition.number, one.offset, one.value) for one in read) == sorted(expected)
    assert file.bounds()[0] == Bounds(0, (count + 2) // 3 + 1)
    file.close()


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    file = TopicFile(tmp_path / "t.db", TOPIC)
    file._connection.execute("INSERT INTO record VALUES (30, 0, NULL, NULL)")  # where the 91st row would stand
    with pytest.raises(sqlite3.IntegrityError):
        file.append(rows(100), 0)
    file._connection.execute("DELETE FROM record WHERE position = 30")
    assert [file.bounds()[number] for number in range(3)] == [Bounds(0, 0)] * 3
    file.append(rows(100), 0)
    assert sum(1 for number in range(3) for _ in file.records(number, 0, 1_000)) == 100
    file.close()
