"""Editors' pages of a course's sections and lectures."""

from sanic import Blueprint, HTTPResponse, Request

from server.admin.acting import actor_of
from server.admin.courses.forms import filled_course
from server.admin.courses.views import form_page
from server.admin.programme.forms import (
    LectureForm,
    MoveForm,
    SectionForm,
    filled_lecture,
    filled_section,
)
from server.catalog import service as catalog
from server.catalog.records import CourseRecord, LectureRecord, SectionRecord
from server.web.audience import Audience, audience
from server.web.forms import Filled, FormInvalid, refilled
from server.web.templating import page, redirect

bp = Blueprint("admin_programme", url_prefix="/admin/courses/<slug:str>")


def _back(slug: str) -> HTTPResponse:
    return redirect(f"/admin/courses/{slug}#programme", notice="course_saved")


# --- sections


@bp.post("/sections")
@audience(Audience.EDITOR)
async def add_section(request: Request, slug: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    try:
        title = SectionForm.parse(request.form).section_title
        await catalog.add_section(actor_of(request), course.id, title)
    except (FormInvalid, catalog.CatalogError) as error:
        refused = refilled(request.form, error)
        return await form_page(course, filled_course(course), status=error.status, section_form=refused)
    return _back(slug)


@bp.get("/sections/<section_id:str>")
@audience(Audience.EDITOR)
async def section_detail(request: Request, slug: str, section_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    section = await catalog.get_section(course.id, section_id)
    return _section_page(course, section, filled_section(section))


@bp.post("/sections/<section_id:str>")
@audience(Audience.EDITOR)
async def edit_section(request: Request, slug: str, section_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    section = await catalog.get_section(course.id, section_id)
    try:
        await catalog.rename_section(
            actor_of(request), course.id, section_id, SectionForm.parse(request.form).section_title
        )
    except FormInvalid as error:
        return _section_page(course, section, refilled(request.form, error), error.status)
    return _back(slug)


@bp.post("/sections/<section_id:str>/move")
@audience(Audience.EDITOR)
async def move_section(request: Request, slug: str, section_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    await catalog.move_section(actor_of(request), course.id, section_id, MoveForm.parse(request.form).step)
    return _back(slug)


@bp.post("/sections/<section_id:str>/delete")
@audience(Audience.EDITOR)
async def delete_section(request: Request, slug: str, section_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    section = await catalog.get_section(course.id, section_id)
    try:
        await catalog.delete_section(actor_of(request), course.id, section_id)
    except catalog.CatalogError as error:
        return _section_page(course, section, filled_section(section).refused(error), error.status)
    return _back(slug)


def _section_page(
    course: CourseRecord, section: SectionRecord, form: Filled, status: int = 200
) -> HTTPResponse:
    return page("admin/section_form.html", status=status, course=course, section=section, form=form)


# --- lectures


@bp.post("/lectures")
@audience(Audience.EDITOR)
async def add_lecture(request: Request, slug: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    try:
        form = LectureForm.parse(request.form)
        await catalog.add_lecture(actor_of(request), course.id, form.section, form.draft())
    except (FormInvalid, catalog.CatalogError) as error:
        refused = refilled(request.form, error)
        return await form_page(course, filled_course(course), status=error.status, lecture_form=refused)
    return _back(slug)


@bp.get("/lectures/<lecture_id:str>")
@audience(Audience.EDITOR)
async def lecture_detail(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    lecture = await catalog.get_lecture_of(course.id, lecture_id)
    return await _lecture_page(course, lecture, filled_lecture(lecture))


@bp.post("/lectures/<lecture_id:str>")
@audience(Audience.EDITOR)
async def edit_lecture(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    lecture = await catalog.get_lecture_of(course.id, lecture_id)
    try:
        form = LectureForm.parse(request.form)
        await catalog.edit_lecture(actor_of(request), course.id, lecture_id, form.section, form.draft())
    except (FormInvalid, catalog.CatalogError) as error:
        return await _lecture_page(course, lecture, refilled(request.form, error), error.status)
    return _back(slug)


@bp.post("/lectures/<lecture_id:str>/move")
@audience(Audience.EDITOR)
async def move_lecture(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    await catalog.move_lecture(actor_of(request), course.id, lecture_id, MoveForm.parse(request.form).step)
    return _back(slug)


@bp.post("/lectures/<lecture_id:str>/delete")
@audience(Audience.EDITOR)
async def delete_lecture(request: Request, slug: str, lecture_id: str) -> HTTPResponse:
    course = await catalog.get_any(slug)
    lecture = await catalog.get_lecture_of(course.id, lecture_id)
    try:
        await catalog.delete_lecture(actor_of(request), course.id, lecture_id)
    except catalog.CatalogError as error:
        return await _lecture_page(course, lecture, filled_lecture(lecture).refused(error), error.status)
    return _back(slug)


async def _lecture_page(
    course: CourseRecord, lecture: LectureRecord, form: Filled, status: int = 200
) -> HTTPResponse:
    sections = await catalog.curriculum(course.id)
    return page(
        "admin/lecture_form.html",
        status=status,
        course=course,
        lecture=lecture,
        sections=sections,
        form=form,
    )
