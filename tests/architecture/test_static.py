"""Static files as they are served: hashed names, inside modules too; no two modules import each other."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from core.embedded.static_files import collect_if_changed
from core.static import JoinedStyles, joined

ROOT = Path(settings.BASE_DIR)


def test_every_file_is_collected_with_a_hashed_name(tmp_path):
    with override_settings(STATIC_ROOT=tmp_path):
        assert collect_if_changed(compress=False)
    main = next((tmp_path / "workstation").glob("main.*.js")).read_text()
    imported = re.findall(r'from ?"\./([^"]+)"', main)
    assert imported
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in imported), imported
    [desk] = (tmp_path / "workstation").glob("desk.*.css")
    assert desk.read_text() == joined(ROOT / "static" / "workstation" / "desk.css")
    assert not (tmp_path / "workstation" / "desk").exists()


def test_a_joined_sheet_is_all_its_parts_in_their_order_and_follows_their_changes(tmp_path):
    parts = ROOT / "static" / "workstation" / "desk"
    imports = re.findall(r'@import "desk/([\w-]+\.css)";', (parts.parent / "desk.css").read_text())
    assert sorted(imports) == sorted(path.name for path in parts.glob("*.css")), "each part stands there once"
    with override_settings(JOINED_ROOT=tmp_path):
        finder = JoinedStyles()
        found = Path(finder.find("workstation/desk.css"))
        assert found.read_text() == "\n".join((parts / name).read_text() for name in imports)
        found.write_text("of yesterday")
        assert Path(finder.find("workstation/desk.css")).read_text().startswith((parts / imports[0]).read_text())
        assert finder.find("workstation/mass.css") == []


@pytest.mark.parametrize("text", ['.row { color: red; } @import "a.css";', '@import url("https://elsewhere/a.css");'])
def test_a_joined_sheet_holds_nothing_but_its_parts(tmp_path, text):
    (tmp_path / "sheet.css").write_text(text)
    with pytest.raises(ImproperlyConfigured):
        joined(tmp_path / "sheet.css")


def test_modules_do_not_import_each_other_in_a_circle():
    for folder in ("workstation", "widget"):
        imports = {
            path.name: set(re.findall(r'(?:from|import) ?\(?"\./([^"]+)"', path.read_text()))
            for path in (ROOT / "static" / folder).glob("*.js")
        }
        while free := [name for name, needs in imports.items() if not needs & imports.keys()]:
            for name in free:
                del imports[name]
        assert not imports, f"{folder}: {sorted(imports)}"
