"""What has to be so that Pamosnik can work, looked at one by one: each check says what it found and what to do.

A check never ends the others: what it cannot look at, it says, and a network that does not answer is told as that.
`--fix` mends what needs nobody's word. `checks` names all there are; `looking` looks at them.
"""

from pamosnik.services.doctor.checks import GROUP, Check, Found, Group, as_json
from pamosnik.services.doctor.looking import examine

__all__ = ["GROUP", "Check", "Found", "Group", "as_json", "examine"]
