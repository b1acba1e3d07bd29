"""Lambda: where functions log, mappings to aliases, concurrency that is kept ready. No function runs."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.awslambda import models
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.awslambda.urls import url_paths
from moto.core.utils import iso_8601_datetime_with_milliseconds, utcnow

from controlplane.sandbox.aws.platform.routes import routes

_PROVISIONED = "/2019-09-30/functions/<function>/provisioned-concurrency"
_LEVELS = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}  # of JSON, where nobody says otherwise


class SandboxFunction(LambdaFunction):  # type: ignore[misc]
    """moto drops how a function logs."""

    def __init__(self, account_id: str, spec: dict[str, Any], *args: Any, **values: Any) -> None:
        super().__init__(account_id, spec, *args, **values)
        self.logging = self._logging(spec.get("LoggingConfig") or {})

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = super().get_configuration(on_create)
        return told | {"LoggingConfig": self.logging}

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        if "LoggingConfig" in config_updates:
            self.logging = self._logging(config_updates["LoggingConfig"])
        if "KMSKeyArn" in config_updates:
            self.kms_key_arn = config_updates["KMSKeyArn"]
        told: dict[str, Any] = super().update_configuration(config_updates)
        return told

    def _logging(self, asked: dict[str, Any]) -> dict[str, Any]:
        found = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{self.function_name}"} | asked
        return (_LEVELS if found["LogFormat"] == "JSON" else {}) | found


class SandboxMapping(EventSourceMapping):  # type: ignore[misc]
    """moto says the version that an alias stood for."""

    def get_configuration(self) -> dict[str, Any]:
        told: dict[str, Any] = super().get_configuration()
        qualifier = self.function_name.rpartition("function:")[2].partition(":")[2]
        function = ":".join(self.function_arn.split(":")[:7])
        return told | {"FunctionArn": f"{function}:{qualifier}" if qualifier else function}


class SandboxLambda(LambdaBackend):  # type: ignore[misc]
    @property
    def url_paths(self) -> dict[str, Any]:
        return routes(url_paths, LambdaAnswers.dispatch, _PROVISIONED)

    @property
    def provisioned(self) -> dict[tuple[str, str], dict[str, Any]]:
        """By function and alias or version."""
        found: dict[tuple[str, str], dict[str, Any]] = self.__dict__.setdefault("provisioned_of", {})
        return found

    def update_event_source_mapping(self, uuid: str, spec: dict[str, Any]) -> EventSourceMapping | None:
        found = super().update_event_source_mapping(uuid, spec)
        if found and "FunctionName" in spec:
            found.function_name = spec["FunctionName"]
        return found

    def delete_function(self, function_name: str, qualifier: str | None = None) -> None:
        super().delete_function(function_name, qualifier)
        for function, name in list(self.provisioned):
            if function == function_name and qualifier in (None, name):
                del self.provisioned[function, name]


class LambdaAnswers(LambdaResponse):  # type: ignore[misc]
    """moto has no provisioned concurrency."""

    def put_provisioned_concurrency_config(self) -> Any:
        function, qualifier = self._asked()
        self.backend.get_function(function, qualifier)
        wanted = self.json_body["ProvisionedConcurrentExecutions"]
        self.backend.provisioned[function, qualifier] = {
            "RequestedProvisionedConcurrentExecutions": wanted,
            "AvailableProvisionedConcurrentExecutions": wanted,
            "AllocatedProvisionedConcurrentExecutions": wanted,
            "Status": "READY",
            "LastModified": iso_8601_datetime_with_milliseconds(utcnow()),
        }
        return 202, {"status": 202}, self.get_provisioned_concurrency_config()

    def get_provisioned_concurrency_config(self) -> str:
        return json.dumps(self._provisioned())

    def delete_provisioned_concurrency_config(self) -> Any:
        self._provisioned()
        del self.backend.provisioned[self._asked()]
        return 204, {"status": 204}, ""

    def _provisioned(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.backend.provisioned[self._asked()]
        except KeyError:
            raise NotProvisioned from None
        return found

    def _asked(self) -> tuple[str, str]:
        return unquote(self.path.split("/")[-2]), self.querystring["Qualifier"][0]


class NotProvisioned(LambdaClientError):  # type: ignore[misc]
    code = 404

    def __init__(self) -> None:
        super().__init__("ProvisionedConcurrencyConfigNotFoundException", "None is provisioned.")


def mend_functions() -> None:
    """moto makes its functions and mappings by these names."""
    models.LambdaFunction, models.EventSourceMapping = SandboxFunction, SandboxMapping
