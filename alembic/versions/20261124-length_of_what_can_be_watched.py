"""length of what can be watched

A lecture without a video is coming: it no longer counts in the length of its course.

Revision: 0004
Follows: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LENGTH = (
    "UPDATE courses SET duration_s = (SELECT COALESCE(SUM(lectures.duration_s), 0) FROM lectures "
    "WHERE lectures.course_id = courses.id{condition})"
)


def upgrade() -> None:
    op.execute(LENGTH.format(condition=" AND lectures.media_content_key <> ''"))


def downgrade() -> None:
    op.execute(LENGTH.format(condition=""))
