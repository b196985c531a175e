"""The settings: read from the environment, or from what `mianti up` left."""

import os
from pathlib import Path

import pytest

from connectors.settings import (
    BadSetting,
    NotRunning,
    Settings,
    kafka_address,
    kafka_options,
    prefect_api,
    read_settings,
)
from connectors.stack import BadStack, Server, Stack, start_mark


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def running(address: str) -> Server:
    """A server that is certainly alive: this test itself."""
    return Server(address=address, pid=os.getpid(), started=start_mark(os.getpid()))


def test_everything_lies_under_the_home_of_the_current_directory(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.mianti_home == tmp_path / ".mianti"
    assert settings.mianti_lake == str(tmp_path / ".mianti" / "lake")
    assert settings.mianti_ledger == tmp_path / ".mianti" / "ledger"


def test_paths_are_absolute_and_the_lake_may_lie_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MIANTI_HOME", "one")
    monkeypatch.setenv("MIANTI_LAKE", "two")
    settings = read_settings()
    assert (settings.mianti_home, settings.mianti_lake) == (tmp_path / "one", str(tmp_path / "two"))


@pytest.mark.parametrize("given", ["s3://lake-one/mianti", "s3://lake-one/mianti/"])
def test_the_lake_may_be_a_folder_of_a_bucket(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("MIANTI_LAKE", given)
    assert read_settings().mianti_lake == "s3://lake-one/mianti"


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "")
    monkeypatch.setenv("MIANTI_KAFKA_PORT", "")
    settings = read_settings()
    assert settings.kafka_bootstrap_servers is None
    assert settings.mianti_kafka_port is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MIANTI_KAFKA_PORT", "70000"),
        ("MIANTI_LAKE", "gs://bucket/lake"),
        ("MIANTI_LAKE", "s3://bucket"),
        ("MIANTI_LAKE", "s3://Bucket/lake?x=1"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting, match=name) as refused:
        read_settings()
    assert value not in str(refused.value)


def test_the_own_kafka_is_used_with_its_login(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "a:9092,b:9092")
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("KAFKA_SASL_MECHANISM", "SCRAM-SHA-512")
    monkeypatch.setenv("KAFKA_SASL_USERNAME", "mianti")
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "a-secret")
    monkeypatch.setenv("KAFKA_SSL_CAFILE", "/etc/ca.pem")
    assert kafka_options(read_settings()) == {
        "bootstrap_servers": ["a:9092", "b:9092"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "mianti",
        "sasl_plain_password": "a-secret",
        "ssl_cafile": "/etc/ca.pem",
    }


def test_the_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_SASL_PASSWORD", "a-secret")
    assert "a-secret" not in repr(read_settings())
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    with pytest.raises(BadSetting, match="KAFKA_SASL_USERNAME") as refused:
        read_settings()
    assert "a-secret" not in str(refused.value)


def test_the_addresses_come_from_what_up_left() -> None:
    settings = read_settings()
    settings.mianti_home.mkdir()
    Stack(kafka=running("127.0.0.1:21000"), prefect=running("http://127.0.0.1:21001/api")).write(
        settings.mianti_home
    )
    assert kafka_options(settings) == {
        "bootstrap_servers": ["127.0.0.1:21000"],
        "security_protocol": "PLAINTEXT",
    }
    assert prefect_api(settings) == "http://127.0.0.1:21001/api"


def test_the_environment_goes_before_what_up_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "theirs:9092")
    monkeypatch.setenv("PREFECT_API_URL", "http://theirs/api")
    settings = read_settings()
    settings.mianti_home.mkdir()
    Stack(kafka=running("127.0.0.1:1"), prefect=running("http://127.0.0.1:2/api")).write(
        settings.mianti_home
    )
    assert kafka_address(settings) == "theirs:9092"
    assert prefect_api(settings) == "http://theirs/api"


@pytest.mark.parametrize(
    "left",
    [
        Stack(),
        Stack(kafka=Server(address="127.0.0.1:21000")),
        # The pid is another process's by now: this test's, which started at another time.
        Stack(kafka=Server(address="127.0.0.1:21000", pid=os.getpid(), started="1")),
    ],
    ids=["never started", "stopped", "pid recycled"],
)
def test_a_kafka_that_does_not_run_is_said_with_what_to_do(left: Stack) -> None:
    settings = read_settings()
    settings.mianti_home.mkdir()
    left.write(settings.mianti_home)
    with pytest.raises(NotRunning, match="`mianti up`, or set KAFKA_BOOTSTRAP_SERVERS") as said:
        kafka_options(settings)
    assert "请先执行 `mianti up`" in said.value.message_zh


@pytest.mark.parametrize("content", ["", "x", '{"kafka": 1}', '{"kafka": {"pid": 1}}'])
def test_what_runs_here_but_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "stack.json").write_text(content)
    with pytest.raises(BadStack, match=r"stack\.json.*remove that file"):
        Stack.read(tmp_path)


def test_a_process_that_has_ended_has_no_start(tmp_path: Path) -> None:
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 0"], {})
    # Not yet collected by its parent, it is a zombie: that counts as ended.
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert start_mark(pid) is None
    os.waitpid(pid, 0)
    assert start_mark(pid) is None


def kept(home: Path, text: str, mode: int = 0o600) -> Path:
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(text, "utf-8")
    (home / "settings.toml").chmod(mode)
    return home


def test_a_home_keeps_its_settings_whoever_works_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = kept(
        tmp_path / "home",
        'MIANTI_PUBLISHERS = "departments.yaml"\nMIANTI_LAKE = "s3://one/lake"\n'
        'MIANTI_ZONE = "/srv/zone"\nMIANTI_WINDOW_PORT = 8080\nKAFKA_BOOTSTRAP_SERVERS = ""\n',
    )
    monkeypatch.setenv("MIANTI_HOME", str(home))
    monkeypatch.chdir("/")
    settings = read_settings()
    assert settings.mianti_publishers == home / "departments.yaml"
    assert (settings.mianti_lake, settings.mianti_zone) == ("s3://one/lake", "/srv/zone")
    assert (settings.mianti_window_port, settings.kafka_bootstrap_servers) == (8080, None)
    assert Settings(mianti_home=home).mianti_window_port == 8080


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept(tmp_path / ".mianti", 'MIANTI_WINDOW_NAME = "window-2"\nMIANTI_WINDOW_PORT = 8080\n')
    monkeypatch.setenv("MIANTI_WINDOW_NAME", "window-3")
    settings = read_settings()
    assert (settings.mianti_window_name, settings.mianti_window_port) == ("window-3", 8080)


@pytest.mark.parametrize(
    ("text", "english", "chinese"),
    [
        (
            'MIANTI_PUBLISHER = "secret"',
            "did you mean MIANTI_PUBLISHERS?",
            "是否应为“MIANTI_PUBLISHERS”",
        ),
        ('NONSENSE = "secret"', "there is no setting 'NONSENSE'; there are: KAFKA_", "没有设置"),
        ('MIANTI_HOME = "secret"', "belongs into the environment", "只能用环境变量"),
        ('AWS_REGION = "secret"', "S3's clients", "S3 客户端"),
        ("MIANTI_WINDOW_PORT = true", "must be a text in quotes, or a number", "应为"),
        ("MIANTI_WINDOW_PORT = 99999", "MIANTI_WINDOW_PORT: ", "设置的值无效"),
        ("MIANTI_LAKE = secret", "is no TOML (at line 1", "不是有效的 TOML"),
        ('MIANTI_LAKE = "a"\nmianti_lake = "secret"', "is given twice", "重复"),
        ("[mianti]\nlake = 'secret'", "there is no setting 'mianti'", "没有设置"),
        (f"MIANTI_WINDOW_PORT = {'9' * 5000}", "is no TOML that can be read", "不是可读的"),
        (f"MIANTI_WINDOW_PORT = 0x{'f' * 5000}", "or a number", "应为"),
        (f"MIANTI_LAKE = {'[' * 5000}", "is no TOML that can be read", "不是可读的"),
        ('MIANTI_LAKE = "~nobody-of-that-name/secret"', "MIANTI_LAKE: begins with ~", "不存在"),
        ('MIANTI_LEDGER = "secret\\u0000"', "MIANTI_LEDGER: ", "设置的值无效"),
        (f'MIANTI_LEDGER = "{"a" * 70_000}"', "MIANTI_LEDGER: ", "设置的值无效"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_with_its_place(
    tmp_path: Path, text: str, english: str, chinese: str
) -> None:
    home = kept(tmp_path / ".mianti", text)
    with pytest.raises(BadSetting) as told:
        read_settings()
    said = str(told.value)
    assert english in said
    assert chinese in said
    assert str(home / "settings.toml") in said
    assert "secret" not in said


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / ".mianti/settings.toml").mkdir(parents=True)
    with pytest.raises(BadSetting, match="Is a directory"):
        read_settings()


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    kept(tmp_path / ".mianti", "\ufeffMIANTI_WINDOW_PORT = 8080\r\n")
    assert read_settings().mianti_window_port == 8080


@pytest.mark.parametrize("value", ["~nobody-of-that-name/x", "a" * 70_000])
def test_a_path_of_the_environment_that_cannot_be_one_is_told(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("MIANTI_LEDGER", value)
    with pytest.raises(BadSetting, match="MIANTI_LEDGER"):
        read_settings()


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_file_with_a_secret_is_its_owners_alone(tmp_path: Path, mode: int) -> None:
    text = 'KAFKA_SASL_PASSWORD = "hush"\nMIANTI_WINDOW_PORT = 8080\n'
    home = kept(tmp_path / ".mianti", text, mode)
    with pytest.raises(BadSetting, match="chmod 600") as told:
        read_settings()
    assert "hush" not in str(told.value)
    (home / "settings.toml").chmod(0o600)
    password = read_settings().kafka_sasl_password
    assert password is not None
    assert password.get_secret_value() == "hush"
    kept(tmp_path / ".mianti", "MIANTI_WINDOW_PORT = 8080\n", mode)
    assert read_settings().mianti_window_port == 8080  # nothing in it is a secret
