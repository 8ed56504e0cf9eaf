"""On a stage nothing leaves the machine: codes are made up, services answer what was prepared, mails are shown."""

from pamosnik.rehearsal.happenings import Called, Mailed, Sent
from pamosnik.rehearsal.play import Play
from pamosnik.rehearsal.stage import Stage

FLOWS = """\
version: 1
disclosure: false
codes: { spring: nowhere.csv }
webhooks: { crm: { url_from: FLOW_CRM, secret_from: FLOW_CRM_KEY } }
flows:
  all:
    when: [dm: go]
    do:
      - give_code: { from: spring, text: "Yours: {code}", if_empty: [{ send: "Gone." }] }
      - call: { webhook: crm, save: { vip: vip }, if_it_fails: [{ send: "No answer." }, stop] }
      - send: "VIP: {vip|?}"
      - notify_me: "One came."
"""


def _texts(stage: Stage) -> list[str | None]:
    return [one.text for one in stage.happened if isinstance(one, Sent)]


def test_codes_services_and_mails() -> None:
    with Play([("flows.yaml", FLOWS)]) as play, play.open() as stage:
        stage.webhook_says(200, {"vip": True})
        stage.write("anna", "go")
        stage.settle()
        assert _texts(stage) == ["Yours: spring-001", "VIP: true"]
        assert [one.webhook for one in stage.happened if isinstance(one, Called)] == ["crm"]
        assert [one.subject for one in stage.happened if isinstance(one, Mailed)] == ["Pamosnik: One came."]


def test_a_service_that_is_down_is_down_at_once() -> None:
    with Play([("flows.yaml", FLOWS)]) as play, play.open() as stage:
        stage.webhook_says(500, {})
        stage.write("anna", "go")
        stage.settle()
        assert _texts(stage) == ["Yours: spring-001", "No answer."]
        stage.write("ben", "go")
        stage.settle()
        assert _texts(stage)[2:] == ["Yours: spring-002", "VIP: ?"]
