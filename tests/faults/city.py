"""What the window's follower has to follow: a department that publishes in all three families."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from connectors.clients import kept
from flows.land import land
from tests.faults.scene import Scene
from tests.faults.whole import whole
from tests.support.codes import uscc
from tests.support.exchange import Exchange
from tests.support.window import penalty

FAMILIES: Final = ("registration", "licence", "credit")
#: Thirty licences, ten of them changed, twenty more; ten fines and five; ten names and five.
EVENTS: Final = 60 + 15 + 15
POISON: Final = 2


@dataclass
class City:
    """An exchange, and every row of each family."""

    scene: Scene
    fines: list[dict[str, Any]] = field(default_factory=list)
    names: list[dict[str, Any]] = field(default_factory=list)

    @property
    def exchange(self) -> Exchange:
        return self.scene.exchange

    def fine(self, *numbers: int) -> None:
        """Publish penalties."""
        rows = [penalty(self.scene.department, number) for number in numbers]
        self.scene.department.publish(rows, f"fines-{numbers[0]}.csv")
        self.fines += rows

    def register(self, *numbers: int) -> None:
        """Publish entries of the register."""
        department = self.scene.department
        rows = [
            department.native(
                number,
                event_type="registered",
                subject=uscc(number),
                decision={"name": f"示范市第{number}食品有限公司"},
            )
            for number in numbers
        ]
        department.publisher.publish_rows("mianti-registration", rows)
        self.names += rows

    def land(self) -> None:
        """Land all families."""
        for family in FAMILIES:
            land(self.exchange.settings, family)

    def whole(self) -> int:
        """Assert that all of it is there once; return how many messages flowed."""
        for family in FAMILIES:
            self.exchange.ingest(family)
        flowed = self.scene.whole()
        flowed += whole(self.exchange, self.fines, "credit")
        return flowed + whole(self.exchange, self.names, "registration")


def founded(exchange: Exchange) -> City:
    """Return a city whose first records are landed."""
    plain = exchange.department().line
    exchange.departments.clear()
    rights = plain["families"]["licence"]
    families = plain["families"] | {"registration": rights}
    layouts = plain["layouts"] | {"mianti-registration": {}}
    department = exchange.department("city", families=families, layouts=layouts)
    city = City(Scene(exchange, department))
    with kept():
        city.scene.publish(*range(1, 31))
        city.fine(*range(1, 11))
        city.register(*range(1, 11))
        city.land()
    return city


def with_news(city: City) -> None:
    """Publish and land what is new, in two landings of the licences."""
    with kept():
        city.scene.publish(*range(1, 11), XK_ZT="2")
        city.land()
        city.scene.poison()
        city.scene.publish(*range(31, 51))
        city.fine(*range(11, 16))
        city.register(*range(11, 16))
        city.land()
