"""How the real `Cloud` meets what AWS and the network do to it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from controlplane.adapters import doctor
from controlplane.adapters.aws import Aws, AwsAccount, Clients, Role
from controlplane.domain.errors import Conflict, Denied, Invalid, Missing, Refused, Throttled, Unavailable
from controlplane.domain.quotas.cells import Cell

REGION = "us-east-1"
OURS = {"uid": "a1234567", "epoch": "1"}
Answer = tuple[int, str]  # status and body; status 0: let it through and lose the answer


class Front:
    """A server in front of the emulator: it answers from a script, then passes everything through."""

    def __init__(self, behind: str) -> None:
        self.script: list[Answer] = []
        self.requests: list[str] = []
        self._behind = behind
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                front.requests.append(body.decode())
                status, text = front.script.pop(0) if front.script else (-1, "")
                if status > 0:
                    self._say(status, text.encode(), {})
                    return
                passed = httpx.post(front._behind, content=body, headers=dict(self.headers), timeout=30)
                if status == 0:
                    self.close_connection = True
                    return
                kind = {"Content-Type": passed.headers.get("Content-Type", "")}
                self._say(passed.status_code, passed.content, kind)

            def _say(self, status: int, content: bytes, headers: dict[str, str]) -> None:
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def front(emulator: str) -> Iterator[Front]:
    made = Front(emulator)
    yield made
    made.stop()


@pytest.fixture
def aws(front: Front) -> Aws:
    return Aws(_account(front.url, attempts=3))


def _account(url: str, **facts: object) -> AwsAccount:
    return AwsAccount(REGION, url, access_key="test", secret_key="test", **facts)  # type: ignore[arg-type]


def rds_error(code: str, message: str = "no", status: int = 400) -> Answer:
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, f"<ErrorResponse>{inner}<RequestId>r-1</RequestId></ErrorResponse>"


def make_database(front: Front, identifier: str) -> None:
    boto3.client(
        "rds",
        endpoint_url=front.url,
        region_name=REGION,
        aws_access_key_id="them",
        aws_secret_access_key="them",
    ).create_db_instance(
        DBInstanceIdentifier=identifier,
        DBInstanceClass="db.t4g.micro",
        Engine="postgres",
        AllocatedStorage=20,
        MasterUsername="cpmaster",
        MasterUserPassword="long-enough-password",
    )
    front.requests.clear()


def test_throttling_is_waited_out(aws: Aws, front: Front) -> None:
    front.script = [rds_error("Throttling"), rds_error("Throttling")]
    assert aws.database("nobody") is None
    assert len(front.requests) == 3


def test_throttling_that_does_not_end_is_said_after_bounded_tries(aws: Aws, front: Front) -> None:
    front.script = [rds_error("Throttling", "Rate exceeded")] * 9
    with pytest.raises(Throttled, match="rds:DescribeDBInstances") as raised:
        aws.database("acme")
    assert raised.value.retryable
    assert len(front.requests) == 3


@pytest.mark.parametrize(
    ("message", "action"),
    [
        (
            "User: arn:aws:iam::1:user/x is not authorized to perform: rds:StopDBInstance on",
            "rds:StopDBInstance",
        ),
        ("because no identity-based policy allows the kms:Decrypt action", "kms:Decrypt"),
        ("no", "rds:DescribeDBInstances"),
    ],
)
def test_a_missing_permission_is_named(aws: Aws, front: Front, message: str, action: str) -> None:
    front.script = [rds_error("AccessDenied", message, 403)]
    with pytest.raises(Denied, match=action) as raised:
        aws.database("acme")
    assert action in raised.value.hint
    assert raised.value.details["action"] == action


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredToken", Denied),
        ("InvalidParameterValue", Invalid),
        ("InvalidDBInstanceState", Conflict),
        ("SnapshotQuotaExceeded", Refused),
        ("KMSKeyNotAccessibleFault", Denied),
        ("SomethingNotFoundFault", Missing),
    ],
)
def test_what_aws_answers_becomes_our_error(aws: Aws, front: Front, code: str, kind: type[Exception]) -> None:
    make_database(front, identifier := f"t-{uuid.uuid4().hex[:8]}")
    front.script = [rds_error(code)]
    with pytest.raises(kind, match=identifier):
        aws.create_snapshot(f"{identifier}-final", identifier, OURS)


def test_aws_failing_inside_may_be_tried_again(aws: Aws, front: Front) -> None:
    front.script = [rds_error("InternalFailure", status=500)] * 3
    with pytest.raises(Unavailable, match="InternalFailure") as raised:
        aws.database("acme")
    assert raised.value.retryable


def test_an_endpoint_that_nobody_serves_is_unavailable() -> None:
    aws = Aws(_account("http://127.0.0.1:1", attempts=1, connect_timeout=1))
    with pytest.raises(Unavailable, match="looking at the database acme") as raised:
        aws.database("acme")
    assert "doctor" in raised.value.hint


def test_the_doctor_sees_that_the_credentials_are_of_another_account_than_the_cell(aws: Aws) -> None:
    who = aws.identity()["account"]
    assert doctor.look_for_home(Cell("ours", REGION, account=who), who, None).startswith("ours: account")
    with pytest.raises(Unavailable, match=f"this process is in {who}"):
        doctor.look_for_home(Cell("ours", REGION, account="210987654321"), who, None)


def lost_snapshot(aws: Aws, identifier: str) -> str:
    return aws.create_snapshot(f"{identifier}-final", identifier, OURS).identifier


def lost_stop(aws: Aws, identifier: str) -> str:
    aws.stop_database(identifier)
    found = aws.database(identifier)
    return found.status if found else "gone"


@pytest.mark.parametrize(
    ("call", "looks_before", "expected"), [(lost_snapshot, 0, "-final"), (lost_stop, 1, "stopped")]
)
def test_an_answer_lost_after_the_effect_is_found_again(
    aws: Aws, front: Front, call: Callable[[Aws, str], str], looks_before: int, expected: str
) -> None:
    make_database(front, identifier := f"t-{uuid.uuid4().hex[:8]}")
    front.script = [(-1, "")] * looks_before + [(0, "")]
    assert call(aws, identifier).endswith(expected)


def test_a_secret_whose_creation_was_not_answered_keeps_its_value(aws: Aws, front: Front) -> None:
    name = f"t-{uuid.uuid4().hex[:8]}"
    front.script = [(-1, ""), (0, "")]
    aws.ensure_secret(name, "one", OURS, str(uuid.uuid4()))
    aws.ensure_secret(name, "two", OURS, str(uuid.uuid4()))
    assert aws.read_secret(name) == "one"


def test_a_stale_look_does_not_make_a_second_secret(aws: Aws, front: Front) -> None:
    name = f"t-{uuid.uuid4().hex[:8]}"
    first = aws.ensure_secret(name, "one", OURS, str(uuid.uuid4()))
    front.script = [(400, '{"__type": "ResourceNotFoundException", "Message": "stale"}')]
    second = aws.ensure_secret(name, "two", OURS, str(uuid.uuid4()))
    assert (second.arn, second.created) == (first.arn, False)
    assert aws.read_secret(name) == "one"


def test_the_fleet_is_read_in_pages_of_a_hundred(aws: Aws, front: Front) -> None:
    aws.databases()
    assert "MaxRecords=100" in front.requests[0]


def test_a_role_is_assumed_with_external_id_and_the_operation_as_session(front: Front) -> None:
    roles = {Role.DATA: "arn:aws:iam::123456789012:role/controlplane-data"}
    account = _account(front.url, roles=roles, external_id="shared-word")
    found = Aws(account).acting_for("op-17/3").identity()
    assert found["arn"] == "arn:aws:sts::123456789012:assumed-role/controlplane-data/op-17-3"
    assert "ExternalId=shared-word" in front.requests[0]


def test_a_role_that_may_not_be_assumed_says_so(front: Front) -> None:
    account = _account(front.url, roles={Role.PLAN: "arn:aws:iam::123456789012:role/none"}, attempts=1)
    front.script = [rds_error("AccessDenied", "not authorized to perform: sts:AssumeRole on it", 403)]
    with pytest.raises(Denied, match="sts:AssumeRole"):
        Aws(account).database("acme")


def test_a_terraform_child_gets_the_credentials_of_its_role(front: Front) -> None:
    roles = {Role.APPLY: "arn:aws:iam::123456789012:role/controlplane-apply"}
    clients = Clients(_account(front.url, roles=roles))
    assumed, own = clients.environment(Role.APPLY), clients.environment(Role.PLAN)
    assert sorted(assumed) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    assert own == {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def test_keys_do_not_show_when_an_account_is_printed() -> None:
    account = AwsAccount(REGION, access_key="visible-key", secret_key="visible-secret")
    assert "visible" not in repr(account)
