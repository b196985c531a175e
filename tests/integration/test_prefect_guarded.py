"""The Prefect that `mianti up` starts: who may ask it, and whose settings it takes."""

from __future__ import annotations

import datetime as dt
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from click.testing import CliRunner
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from connectors.settings import Settings
from connectors.stack import Stack
from deploy.cli.status import command as status_command
from deploy.local import prefect_server, serve
from deploy.local.lifecycle import _start_prefect, up
from deploy.local.prefect_client import client_of
from deploy.local.prefect_password import keep_password, password, password_file
from deploy.local.processes import log_file, stop
from deploy.local.processes import start as start_process
from flows.matters import Matter
from flows.operator import waits, watch
from flows.operator.alarms import ENDED
from flows.operator.webhook import keep_webhook
from tests.support.prefect import Prefect, of_home, wait_for
from tests.support.receiver import receiver

pytestmark = pytest.mark.timeout(600)

_LIST: Final = "/deployments/filter"
#: Another project's settings, in each of the files that Prefect takes some from.
_THEIRS: Final = {
    "prefect.toml": 'profiles_path = "/nowhere"\n[server.api]\nauth_string = "them:theirs"\n'
    'port = "none"\n[api]\nurl = "http://127.0.0.1:9/api"\n',
    ".env": "PREFECT_SERVER_API_AUTH_STRING=them:theirs\nPREFECT_API_URL=http://127.0.0.1:9/api\n"
    "PREFECT_CLIENT_MAX_RETRIES=none\n",
    "pyproject.toml": '[tool.prefect.server.api]\nauth_string = "them:theirs"\nbase_path = "/x"\n',
}


@pytest.fixture(scope="module")
def settings(
    new_home: Callable[[], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A home with a Prefect server, started in a folder of another project that has settings."""
    folder = tmp_path_factory.mktemp("theirs")
    for name, text in _THEIRS.items():
        (folder / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PREFECT_API_URL", raising=False)
        environment.chdir(folder)
        made = Settings(mianti_home=new_home())
        start(made)
    try:
        yield made
    finally:
        stop_all(made)


@pytest.fixture
def prefect(settings: Settings) -> Prefect:
    return of_home(settings)


def start(settings: Settings) -> Stack:
    stack = Stack.read(settings.mianti_home)
    _start_prefect(settings, stack, lambda _: None)
    assert stack.prefect is not None
    prefect_server.wait(settings, stack.prefect)
    return stack


def stop_all(settings: Settings) -> None:
    for _, server in Stack.read(settings.mianti_home):
        if server is not None:
            stop(server, seconds=30)


def page_of(origin: str, method: str, prefect: Prefect, **more: str) -> httpx.Response:
    """Send what a browser sends when a page of that origin asks for the deployments."""
    headers = {"Origin": origin, **more}
    body: dict[str, Any] = {} if method == "OPTIONS" else {"content": "{}"}
    return httpx.request(method, prefect.api + _LIST, headers=headers, trust_env=False, **body)


def test_without_the_password_nothing_is_told_or_done(prefect: Prefect) -> None:
    asked = httpx.post(prefect.api + _LIST, json={}, trust_env=False)
    wrong = Prefect(prefect.api, "mianti:wrong").ask_for("POST", _LIST, json={})
    made = httpx.post(f"{prefect.api}/flows/", json={"name": "x"}, trust_env=False)

    assert [one.status_code for one in (asked, wrong, made)] == [401, 401, 401]
    assert prefect.ask_for("POST", _LIST, json={}).json() == []
    assert prefect.ask_for("POST", "/flows/filter", json={}).json() == []


def test_a_page_of_another_origin_gets_no_permission_and_does_nothing(prefect: Prefect) -> None:
    for origin in ("http://evil.example", "http://localhost:8000", "null"):
        wanted = {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type,authorization",
        }
        before = page_of(origin, "OPTIONS", prefect, **wanted)
        assert before.status_code == 400
        assert "access-control-allow-origin" not in before.headers
        # What a browser sends without asking before: a form, or text.
        sent = page_of(origin, "POST", prefect, **{"Content-Type": "text/plain"})
        assert sent.status_code == 401
        assert "access-control-allow-origin" not in sent.headers


def test_its_own_page_works(prefect: Prefect) -> None:
    origin = prefect.api.removesuffix("/api")
    shown = httpx.get(origin, trust_env=False, follow_redirects=True)
    said = httpx.get(f"{origin}/ui-settings", trust_env=False).json()

    assert shown.status_code == 200
    assert said["auth"] == "BASIC", "the page asks for the password"
    assert said["api_url"] == prefect.api
    wanted = {"Access-Control-Request-Method": "POST"}
    assert page_of(origin, "OPTIONS", prefect, **wanted).status_code == 200
    own = prefect.ask_for("POST", _LIST, json={}, headers={"Origin": origin})
    assert own.headers["access-control-allow-origin"] == origin


def test_the_password_is_in_a_file_of_the_owners_alone(settings: Settings) -> None:
    known = password(settings.mianti_home)
    assert known is not None
    assert stat.S_IMODE(password_file(settings.mianti_home).stat().st_mode) == 0o600
    secret = known.partition(":")[2]
    assert len(secret) >= 32
    server = Stack.read(settings.mianti_home).prefect
    assert server is not None
    assert secret.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert secret not in log_file(settings.mianti_home, "prefect").read_text("utf-8")
    assert secret not in (settings.mianti_home / "stack.json").read_text("utf-8")


def test_a_client_started_in_another_projects_folder_speaks_to_its_own(
    settings: Settings, prefect: Prefect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in _THEIRS.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MIANTI_PUBLISHERS", "their/publishers.yaml")
    mine = Settings(mianti_home=settings.mianti_home)

    env = {**os.environ, **serve.environment(mine, prefect.api)}
    made = serve.launch(mine, prefect.api)
    try:
        told = Path(f"/proc/{made.pid}/environ").read_bytes().split(b"\0")
        assert Path(f"/proc/{made.pid}/cwd").resolve() == settings.mianti_home / "prefect"
        assert prefect.password.encode() not in Path(f"/proc/{made.pid}/cmdline").read_bytes()
    finally:
        stop(made, seconds=30)
    assert f"MIANTI_PUBLISHERS={tmp_path}/their/publishers.yaml".encode() in told
    assert b"DO_NOT_TRACK=1" in told
    assert env["PREFECT_API_AUTH_STRING"] == prefect.password


def test_a_prefect_of_the_users_own_that_does_not_answer_is_named(
    settings: Settings, prefect: Prefect
) -> None:
    page = prefect.api.removesuffix("/api")
    for wrong, why in ((page, "405|404"), (prefect.api, "401"), ("http://127.0.0.1:9/api", "Conn")):
        theirs = settings.model_copy(update={"prefect_api_url": wrong})
        with pytest.raises(serve.NoPrefect, match=f"PREFECT_API_URL .*({why})"):
            serve.check(theirs, wrong)


def test_up_stops_nothing_for_an_address_that_is_no_prefect(tmp_path: Path) -> None:
    right = "http://127.0.0.1:9/right"
    theirs = Settings(mianti_home=tmp_path, prefect_api_url="http://127.0.0.1:9/api")
    stack = Stack()
    stack.follow = start_process("follow", ["sleep", "600"], right, home=tmp_path)
    stack.write(tmp_path)
    try:
        with pytest.raises(serve.NoPrefect):
            up(theirs)
        follow = Stack.read(tmp_path).follow
        assert follow is not None
        assert follow.alive
        assert Stack.read(tmp_path) == stack
    finally:
        stop_all(theirs)


def test_a_webhook_that_takes_nothing_is_told(settings: Settings, prefect: Prefect) -> None:
    """To Prefect a call is done whatever is answered."""
    told = {"event": ENDED, "alarm": "completeness/a"}

    def last(address: str) -> Matter | None:
        now = dt.datetime.now(dt.UTC)
        keep_webhook(settings.model_copy(update={"mianti_alarm_webhook": SecretStr(address)}))
        watch._emit([(ENDED, told)])

        def is_told() -> bool:
            calls = {"event": {"name": ["prefect.automation.action.executed"]}}
            asked = {"filter": {**calls, "occurred": {"since": now.isoformat()}}}
            return bool(prefect.post("/events/filter", asked)["events"])

        wait_for(is_told, "the call to be noted")
        with get_client(sync_client=True) as client:
            return watch.unheard(client, dt.datetime.now(dt.UTC))

    with receiver() as hook, client_of(settings, prefect.api):
        wrong = last(f"{hook.address}-wrong")
        assert wrong is not None
        assert "(404)" in wrong.said[0]
        assert hook.secret not in str(wrong)
        assert waits.rows([wrong])
        assert last(hook.address) is None
        keep_webhook(settings)
        with get_client(sync_client=True) as client:
            assert watch.unheard(client, dt.datetime.now(dt.UTC)) is None
    assert [body["ended"] for body in hook.bodies] == [["completeness/a"]]


def test_its_database_is_the_owners_alone(settings: Settings, tmp_path: Path) -> None:
    """It holds the webhook's address, and the key it is encrypted with."""
    place = prefect_server.prefect_home(settings.mianti_home)
    assert (place / "prefect.db").is_file()
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    former = prefect_server.prefect_home(tmp_path)
    former.mkdir(mode=0o755)
    assert serve.directory(Settings(mianti_home=tmp_path)) == former
    assert stat.S_IMODE(former.stat().st_mode) == 0o700


def test_one_that_asked_for_no_password_is_started_anew_with_one(
    new_home: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a former release left it running: the server, and what speaks to it without a password."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    settings = Settings(mianti_home=new_home())
    keep_password(settings.mianti_home)
    try:
        former = start(settings)
        home = settings.mianti_home
        former.serve = start_process("serve", ["sleep", "600"], "-", home=home)
        former.write(home)
        password_file(home).unlink()
        now = start(settings)

        assert former.prefect is not None
        assert now.prefect is not None
        assert not former.serve.alive, "it would be refused for ever"
        assert now.prefect.pid != former.prefect.pid
        assert now.prefect.address == former.prefect.address
        assert of_home(settings).ask_for("POST", _LIST, json={}).status_code == 200
        again = start(settings)
        assert again.prefect == now.prefect
    finally:
        stop_all(settings)


def test_what_runs_flows_tells_prefects_makers_nothing() -> None:
    """However it was started, and whoever's Prefect it speaks to."""
    plain = {name: value for name, value in os.environ.items() if name != "DO_NOT_TRACK"}
    code = "import flows.deployments, os; print(os.environ['DO_NOT_TRACK'])"
    told = subprocess.run(
        [sys.executable, "-c", code], env=plain, capture_output=True, text=True, check=True
    )
    assert told.stdout == "1\n"


def test_status_prints_where_it_is_and_its_password(
    settings: Settings, prefect: Prefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.cli.status.read_settings", lambda: settings)
    monkeypatch.setattr("deploy.cli.status.FAMILIES", ())
    monkeypatch.setattr("deploy.cli.status._ask_kafka", lambda _: (None, True))
    page = prefect.api.removesuffix("/api")
    said = CliRunner().invoke(status_command).output
    told = f"Prefect UI · 运行界面: {page}, password · 口令: {prefect.password}; answers · 有响应\n"
    assert told in said
