"""What can go wrong over HTTP: one table of stable codes, each answered as `application/problem+json` (RFC 9457).

A caller acts on `code`; `detail` is for people and may change. No answer repeats what the caller sent, and none says
whether something exists that the caller may not see.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from medfund.http import wording

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class Kind(NamedTuple):
    """What a code means: the HTTP status and a title in English and Chinese."""

    status: int
    title: str
    zh: str


KINDS: Mapping[str, Kind] = {
    "body_malformed": Kind(400, "The body cannot be read", "请求体无法解析"),
    "token_missing": Kind(401, "A bearer token is needed", "缺少访问令牌"),
    "token_refused": Kind(401, "The token is not accepted", "访问令牌无效"),
    "role_not_allowed": Kind(403, "The role may not do this", "角色无此权限"),
    "scope_not_allowed": Kind(403, "The token does not speak for this", "超出令牌的授权范围"),
    "not_yours_to_say": Kind(403, "The source may not say this", "无权发布此类事件"),
    "not_found": Kind(404, "There is nothing here", "未找到"),
    "event_unknown": Kind(404, "No event with this source and id is known", "未知事件"),
    "method_not_allowed": Kind(405, "The method is not offered here", "不支持的方法"),
    "command_conflict": Kind(409, "The same command was given with other content", "同一指令内容不一致"),
    "would_be_declined": Kind(409, "Nothing of it would count", "按当前数据，该指令不会生效"),
    "run_undecided": Kind(409, "The last run of this account is not decided yet", "该账户上一支付批次尚未处理完毕"),
    "no_working_day": Kind(422, "The bank does not work on this day", "该日不是工作日，银行不办理"),
    "not_registered": Kind(409, "The register of account numbers lacks the account", "账户未登记"),
    "nothing_to_pay": Kind(409, "The run would pay nothing", "没有可支付的款项"),
    "not_for_one_alone": Kind(409, "It takes two people, and is nobody's own", "须两人办理，且不得为本人办理"),
    "approved_already": Kind(409, "Somebody else has agreed to it", "已由他人同意"),
    "plan_changed": Kind(409, "The plan would be another one today", "计划所依据的数据已变化"),
    "account_differs": Kind(409, "The provider is paid to another account", "收款账户不是当前账户"),
    "bank_may_still_pay": Kind(409, "The bank may still pay what this takes the place of", "银行仍可能支付原付款"),
    "body_too_slow": Kind(408, "The body did not arrive in time", "请求体接收超时"),
    "body_too_large": Kind(413, "The body is too large", "请求体过大"),
    "media_type_unsupported": Kind(415, "The content type is not accepted", "不支持的内容类型"),
    "parameter_invalid": Kind(422, "A parameter is not valid", "参数不合规"),
    "parameter_unknown": Kind(422, "A parameter is not known, or given twice", "未知或重复的参数"),
    "cursor_invalid": Kind(422, "The cursor does not belong to this question", "游标无效"),
    "event_refused": Kind(422, "The event is refused", "事件被拒绝"),
    "does_not_fit": Kind(422, "It cannot be what was said of it", "与所指款项不符"),
    "too_much": Kind(422, "The question asks for too much at once", "一次请求的内容过多"),
    "request_refused": Kind(400, "The request is refused", "请求被拒绝"),
    "internal": Kind(500, "Something is wrong on our side", "系统内部错误"),
    "busy": Kind(503, "All connections are in use", "系统繁忙"),
    "database_unavailable": Kind(503, "The database does not answer", "数据库不可用"),
    "log_unavailable": Kind(503, "The log does not answer", "消息日志不可用"),
    "question_too_slow": Kind(503, "The answer took too long to find", "查询超时"),
    "not_booked_yet": Kind(504, "The position is not booked yet", "该位置尚未入账"),
}

_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "media_type_unsupported"}
RETRY_AFTER_S = {
    "busy": 1,
    "database_unavailable": 5,
    "log_unavailable": 5,
    "question_too_slow": 5,
    "not_booked_yet": 1,
}


class Problem(Exception):
    """Ends a request with a problem of `KINDS`. `members` are added to the answer."""

    def __init__(self, code: str, detail: str | None = None, **members: Any) -> None:
        super().__init__(code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.members = members


THINGS: Mapping[str, tuple[str, str]] = {
    "area": ("area that you speak for as a whole", "您有权全权办理的统筹区"),
    "batch": ("batch of this provider", "该机构的申报批次"),
    "command": ("command", "指令"),
    "finding": ("finding of this batch", "该批次的审核疑点"),
    "item": ("suspense item", "待查款项"),
    "line": ("line of the journal", "分录"),
    "payable": ("batch or case of this provider", "该机构的申报批次或追回案件"),
    "payment": ("payment of this provider", "该机构的付款单"),
    "plan": ("plan of this area", "该统筹区的计划"),
    "prepayment": ("prepayment that you may see", "您可查看的预付金"),
    "proposal": ("proposal of this area", "该统筹区的提议"),
    "provider": ("provider that you may see", "您可查看的定点机构"),
    "record": ("refused record at this place", "该位置的被拒记录"),
    "request": ("treasury request of this area", "该统筹区的用款申请"),
    "route": ("route", "接口地址"),
    "run": ("payment run", "支付批次"),
    "statement": ("statement that you may see", "您可查看的对账单"),
    "supplier": ("supplier that you speak for", "您有权代表的医药企业"),
    "target": ("target of this provider", "该机构的对应款项"),
    "year": ("prepayment of this provider in this year", "该机构本年度的预付金"),
}
"""What names are of, in English and Chinese."""


def unknown(name: str) -> Problem:
    """Which of the names that were asked for is not known, whether it is nobody's or another's."""
    en, zh = THINGS[name]
    return Problem("not_found", f"There is no such {en}", detail_zh=f"没有{zh}", unknown=name)


def answer(problem: Problem, *, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response of a problem."""
    kind = problem.kind
    body = {
        "type": f"/docs#{problem.code}",
        "title": kind.title,
        "title_zh": kind.zh,
        "status": kind.status,
        "code": problem.code,
        **({} if problem.detail is None else {"detail": problem.detail}),
        **problem.members,
    }
    return JSONResponse(body, kind.status, {**_headers(problem), **(headers or {})}, MEDIA_TYPE)


def _headers(problem: Problem) -> dict[str, str]:
    if problem.kind.status == 401:
        error = ', error="invalid_token"' if problem.code == "token_refused" else ""
        return {"WWW-Authenticate": f'Bearer realm="medfund"{error}'}
    if problem.code in RETRY_AFTER_S:
        return {"Retry-After": str(RETRY_AFTER_S[problem.code])}
    return {}


Refused: TypeAlias = Callable[[Request, Problem], Awaitable[None]]


async def _nobody_hears(request: Request, problem: Problem) -> None: ...


def install(app: FastAPI, refused: Refused = _nobody_hears) -> None:
    """Every refusal of this application, FastAPI's own included, becomes a problem. `refused` hears of it first, and
    may raise another one."""

    async def on_problem(request: Request, error: Problem) -> JSONResponse:
        try:
            await refused(request, error)
        except Problem as other:
            error = other
        request.state.problem = error.code
        return answer(error)

    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return await on_problem(request, Problem("parameter_invalid", errors=places(error.errors())))

    app.add_exception_handler(Problem, on_problem)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, _on_http)  # type: ignore[arg-type]


def places(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Where and what, without the value: it may be anything, and it was the caller's."""
    return [_place(error) for error in errors]


def _place(error: Mapping[str, Any]) -> dict[str, str]:
    said = wording.of(error)
    return {"at": ".".join(map(str, error["loc"])), "rule": error["type"], "message": said.en, "message_zh": said.zh}


async def _on_http(request: Request, error: HTTPException) -> JSONResponse:
    if error.status_code == 404:
        return answer(unknown("route"), headers=error.headers)
    code = _BY_STATUS.get(error.status_code, "request_refused" if error.status_code < 500 else "internal")
    headers = {"Allow": ", ".join(_allowed(request))} if code == "method_not_allowed" else error.headers
    return answer(Problem(code), headers=headers)


def _allowed(request: Request) -> Iterator[str]:
    """By all routes of this path: the framework tells the methods of the first one only."""
    for method in METHODS:
        asked = {**request.scope, "method": method}
        if any(route.matches(asked)[0] == Match.FULL for route in request.app.router.routes):
            yield from ("GET", "HEAD") if method == "GET" else (method,)


_ERROR: Mapping[str, Any] = {
    "type": "object",
    "required": ["at", "rule", "message", "message_zh"],
    "properties": {name: {"type": "string"} for name in ("at", "rule", "message", "message_zh")},
}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["type", "title", "title_zh", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "title_zh": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(KINDS)},
        "detail": {"type": "string", "description": "For people; it may change"},
        "detail_zh": {"type": "string", "description": "The same in Chinese, where it is said"},
        "unknown": {"type": "string", "enum": sorted(THINGS), "description": "Of `not_found`: which name"},
        "errors": {"type": "array", "items": _ERROR, "description": "Each place that is wrong"},
        "reason": {"type": ["string", "null"], "description": "Why an event is refused, or nothing would come of it"},
        "reason_zh": {"type": "string"},
        "outcome": {"type": "string", "const": "unknown", "description": "Of an event that was not read yet"},
        "count": {"type": "integer", "description": "How many parameters are not known"},
        "run": {"type": "string", "description": "Which run is not decided yet"},
        "next_offset": {"type": "integer", "description": "How far the topic is booked"},
        "next_working_day": {"type": "string", "format": "date", "description": "Of `no_working_day`"},
    },
}


def responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's description of the problems that a route may answer with."""
    documented: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        kind = KINDS[code]
        entry = documented.setdefault(kind.status, {"description": "", "content": {MEDIA_TYPE: _content()}})
        entry["description"] = "; ".join(filter(None, (entry["description"], kind.title)))
        entry["content"][MEDIA_TYPE]["examples"][code] = {"value": _example(code, kind)}
    return documented


def _content() -> dict[str, Any]:
    return {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}


def _example(code: str, kind: Kind) -> dict[str, Any]:
    return {"type": f"/docs#{code}", "title": kind.title, "title_zh": kind.zh, "status": kind.status, "code": code}
