"""The command line: what it reads, and what it says where it cannot."""

import signal
import socket
import subprocess
import sys

import numpy as np
import pytest

from skpairclust.label import _command, _page
from skpairclust.label._command import main, make_parser, read_source
from skpairclust.label._errors import LabelError
from tests.label.serving import free_port, is_serving, start_program, wait_for


def source_of(*arguments):
    return read_source(make_parser().parse_args([str(a) for a in arguments]))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("id,a,b\nx,1,2\ny,2,3\nz,9,8\n")
    return path


def said(arguments, capsys):
    """Return what the command says when it gives up."""
    assert main([str(a) for a in arguments]) == 2
    return capsys.readouterr().err


def test_digits():
    source = source_of("digits")
    assert len(source) == 1797
    X, rows = source.features(np.arange(5))
    assert X.shape == (5, 64) and rows.tolist() == [0, 1, 2, 3, 4]
    body, media_type = source.image(0, "large")
    assert body.startswith(b"\x89PNG") and media_type == "image/png"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["nowhere"], "nowhere does not exist. Give a folder"),
        ([sys.executable], "neither a folder of images nor a table"),
    ],
)
def test_no_such_samples(arguments, match, capsys):
    assert match in said(arguments, capsys)


def test_a_folder_without_images(tmp_path, capsys):
    assert "holds 0 images" in said([tmp_path], capsys)


def test_options_of_tables_are_refused_for_images(tmp_path, capsys):
    assert "--ids is for tables" in said([tmp_path, "--ids", "name"], capsys)


def test_port_in_use(table, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        text = said([table, "--port", port, "--answers", table.parent / "a"], capsys)
    assert f"--port {port} on 127.0.0.1 cannot be used" in text
    assert "leave --port out to get a free one" in text


def test_a_host_that_is_not_here(table, capsys):
    # of a range that is for documentation only
    for host in ("192.0.2.1", "300.1.1.1"):
        text = said([table, "--host", host, "--answers", table.parent / "a"], capsys)
        assert f"--host {host} is no address of this machine" in text
        assert "Leave --host out" in text


@pytest.mark.skipif(sys.platform == "win32", reason="signals are other ones there")
def test_what_goes_wrong_later_is_said_in_the_terminal(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.png").write_bytes(b"no image")
    arguments = [tmp_path, "--no-browser", "--answers", tmp_path / "a.jsonl"]
    process = start_program([*arguments, "--port", free_port()], tmp_path)
    try:
        lines = iter(process.stdout.readline, "")
        found = next(line for line in lines if line.startswith("error: "))
    finally:
        process.kill()
        process.communicate()
    assert "Of 2 images in" in found and "Open one in a viewer" in found


def test_without_a_port_a_free_one_is_taken(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        monkeypatch.setattr(_page, "PORT", other.getsockname()[1])
        with _page.bind("127.0.0.1", None) as found:
            assert found.getsockname()[1] != other.getsockname()[1]


@pytest.mark.parametrize(
    "option",
    [["--clusters", "many"], ["--clusters", "0"], ["--port", "70000"]]
    + [["--most-rows", "1"], ["--features", "magic"]],
)
def test_senseless_options(option, table, capsys):
    with pytest.raises(SystemExit):
        main([str(table), *option])
    assert option[0] in capsys.readouterr().err


def test_a_short_token_is_refused(table, monkeypatch, capsys):
    monkeypatch.setenv(_page.TOKEN_VARIABLE, "short")
    text = said([table, "--answers", table.parent / "a"], capsys)
    assert "16 or more letters" in text


def test_missing_packages_are_named(table, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    text = said([table], capsys)
    assert "The page needs uvicorn, which is not installed" in text
    assert 'pip install "skpairclust[label]"' in text


def test_the_room_loads_without_its_packages():
    code = (
        "import sys\n"
        "for name in ('starlette', 'uvicorn', 'PIL', 'pandas'):\n"
        "    sys.modules[name] = None\n"
        "from skpairclust.label import label_pairs\n"
        "try: label_pairs([[0.0], [1.0]], answers=sys.argv[1])\n"
        "except ImportError as error: print(error)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "/dev/null/a"], capture_output=True, text=True
    )
    assert "pip install" in result.stdout, result.stderr


def test_no_browser_is_said(table, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(_command, "open_page", lambda *a, **k: Page())
    assert main([str(table)]) == 0
    assert "No browser was found here. Copy the address" in capsys.readouterr().out


class Page:
    url = "http://127.0.0.1:1/x/"

    def wait(self, for_fit):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="signals are other ones there")
def test_ctrl_c_stops_and_the_answers_are_free(table):
    port = free_port()
    arguments = [table, "--ids", "id", "--clusters", 2, "--no-browser", "--port", port]
    process = start_program(arguments, table.parent)
    url = f"http://127.0.0.1:{port}/a-secret-of-the-tests/"
    wait_for(lambda: process.poll() is not None or is_serving(url))
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert "Traceback" not in out
    assert f"Open {url}" in out
    # what is used is shown, and can be changed
    assert "pipeline = make_column_transformer(" in out
    assert (table.parent / "table.answers.jsonl").exists()


def test_two_programs_on_one_file(table, tmp_path, capsys):
    from skpairclust.label._answers_file import AnswersFile

    source = source_of(table, "--ids", "id")
    path = tmp_path / "a.jsonl"
    file = AnswersFile(path, source.fingerprint, 3, "table.csv")
    text = said([table, "--ids", "id", "--answers", path], capsys)
    file.close()
    assert "in use by another program" in text


def test_other_answers_are_refused(table, tmp_path, capsys):
    from skpairclust.label._answers_file import AnswersFile

    path = tmp_path / "a.jsonl"
    AnswersFile(path, "sha256:0", 5, "others.csv").close()
    text = said([table, "--answers", path], capsys)
    assert "'others.csv' with 5 samples" in text and "--accept-changed-data" in text


def test_errors_are_sentences():
    assert issubclass(LabelError, Exception)
    with pytest.raises(LabelError, match=r"does not exist\. Give"):
        source_of("no-such-thing.csv")


def test_a_number_that_is_no_port_is_named():
    with pytest.raises(LabelError, match="--port 70000 on 127.0.0.1 cannot be used"):
        _page.bind("127.0.0.1", 70000)
