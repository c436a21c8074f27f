"""Tables of watching: every opening of a player, and what of a lecture has been seen."""

from datetime import datetime

from sqlalchemy import CHAR, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.database.base import Base, table_args
from server.database.types import Id, UtcDateTime


class Play(Base):
    """One opening of a player. The seconds are Kollus's, each the highest reported for this play."""

    __tablename__ = "plays"
    __table_args__ = table_args(Index(None, "viewer_id", "created_at"), Index(None, "lecture_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    viewer_id: Mapped[str | None] = mapped_column(Id, ForeignKey("viewers.id"))  # NULL: a free preview
    lecture_id: Mapped[str] = mapped_column(Id, ForeignKey("lectures.id"))
    # As told to Kollus; stays when a claim moves the play into an account.
    cuid: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reported_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    playtime_s: Mapped[int] = mapped_column(Integer, default=0)
    real_playtime_s: Mapped[int] = mapped_column(Integer, default=0)
    runtime_s: Mapped[int] = mapped_column(Integer, default=0)
    showtime_s: Mapped[int] = mapped_column(Integer, default=0)
    last_position_s: Mapped[int] = mapped_column(Integer, default=0)


class Progress(Base):
    """What a viewer has seen of a lecture, merged so that the order of reports cannot matter."""

    __tablename__ = "progress"
    __table_args__ = table_args(UniqueConstraint("viewer_id", "lecture_id"), Index(None, "lecture_id"))

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    viewer_id: Mapped[str] = mapped_column(Id, ForeignKey("viewers.id"))
    lecture_id: Mapped[str] = mapped_column(Id, ForeignKey("lectures.id"))
    # Hexadecimal: aiomysql cannot send bytes with every version of the library beneath it.
    seen: Mapped[str] = mapped_column(CHAR(250))
    percent: Mapped[int] = mapped_column(Integer, default=0)
    furthest_s: Mapped[int] = mapped_column(Integer, default=0)
    last_position_s: Mapped[int] = mapped_column(Integer, default=0)
    # (start_at, runtime) of the report that the last position came from: reports are ordered by it.
    position_start_at: Mapped[int] = mapped_column(BigInteger, default=0)
    position_runtime_s: Mapped[int] = mapped_column(Integer, default=0)
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
