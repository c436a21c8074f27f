"""Editors' pages of courses: list, new, texts and prices, on sale or not."""

from collections.abc import Awaitable, Callable

from sanic import Blueprint, HTTPResponse, Request

from server.admin.acting import actor_of
from server.admin.courses.forms import CourseForm, filled_course
from server.audit.records import Actor
from server.catalog import service as catalog
from server.catalog.models import Level
from server.catalog.records import CourseRecord
from server.i18n import pick
from server.web.audience import Audience, audience
from server.web.forms import Filled, FormInvalid, refilled
from server.web.templating import page, redirect

bp = Blueprint("admin_courses")


@bp.get("/admin/courses")
@audience(Audience.EDITOR)
async def course_list(request: Request) -> HTTPResponse:
    courses = await catalog.all_courses()
    return page("admin/courses.html", courses=courses)


@bp.get("/admin/courses/new")
@audience(Audience.EDITOR)
async def new_course(request: Request) -> HTTPResponse:
    return await form_page(None, Filled({"cover": catalog.COVER_FALLBACK}))


@bp.post("/admin/courses")
@audience(Audience.EDITOR)
async def create(request: Request) -> HTTPResponse:
    try:
        course = await catalog.create_course(actor_of(request), CourseForm.parse(request.form).draft())
    except (FormInvalid, catalog.CatalogError) as error:
        return await form_page(None, refilled(request.form, error), status=error.status)
    return redirect(f"/admin/courses/{course.slug}", notice="course_saved")


@bp.get("/admin/courses/<slug:str>")
@audience(Audience.EDITOR)
async def course_detail(request: Request, slug: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    return await form_page(course, filled_course(course))


@bp.post("/admin/courses/<slug:str>")
@audience(Audience.EDITOR)
async def edit(request: Request, slug: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    try:
        course = await catalog.edit_course(
            actor_of(request), course.id, CourseForm.parse(request.form).draft()
        )
    except (FormInvalid, catalog.CatalogError) as error:
        return await form_page(course, refilled(request.form, error), status=error.status)
    return redirect(f"/admin/courses/{course.slug}", notice="course_saved")


@bp.post("/admin/courses/<slug:str>/publish")
@audience(Audience.EDITOR)
async def publish(request: Request, slug: str) -> HTTPResponse:
    return await _turn(request, slug, catalog.publish, "course_published")


@bp.post("/admin/courses/<slug:str>/unpublish")
@audience(Audience.EDITOR)
async def unpublish(request: Request, slug: str) -> HTTPResponse:
    return await _turn(request, slug, catalog.unpublish, "course_drafted")


@bp.post("/admin/courses/<slug:str>/archive")
@audience(Audience.EDITOR)
async def archive(request: Request, slug: str) -> HTTPResponse:
    return await _turn(request, slug, catalog.archive, "course_archived")


async def _turn(
    request: Request, slug: str, act: Callable[[Actor, str], Awaitable[CourseRecord]], notice: str
) -> HTTPResponse:
    course = await catalog.get_any(slug)
    try:
        await act(actor_of(request), course.id)
    except catalog.CatalogError as error:
        return await form_page(course, filled_course(course).refused(error), status=error.status)
    return redirect(f"/admin/courses/{slug}", notice=notice)


async def form_page(
    course: CourseRecord | None,
    form: Filled,
    *,
    status: int = 200,
    section_form: Filled | None = None,
    lecture_form: Filled | None = None,
) -> HTTPResponse:
    """The course's page with all its forms; one of them may be a refused one."""
    sections = await catalog.curriculum(course.id) if course else []
    categories = await catalog.categories()
    return page(
        "admin/course_form.html",
        status=status,
        course=course,
        sections=sections,
        coming=[one for section in sections for one in section.lectures if one.is_coming],
        form=form,
        section_form=section_form or Filled(),
        lecture_form=lecture_form or Filled(),
        category_options=[(one.id, pick(one.name)) for one in categories],
        cover_options=[(path, path.rpartition("/")[2].removesuffix(".svg")) for path in catalog.covers()],
        levels=Level,
    )
