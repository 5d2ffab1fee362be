"""Static files as they are served: hashed names, inside modules too; no two modules import each other."""

import re
from pathlib import Path

from django.conf import settings
from django.test import override_settings

from core.embedded.static_files import collect_if_changed

ROOT = Path(settings.BASE_DIR)


def test_every_file_is_collected_with_a_hashed_name(tmp_path):
    with override_settings(STATIC_ROOT=tmp_path):
        assert collect_if_changed(compress=False)
    main = next((tmp_path / "workstation").glob("main.*.js")).read_text()
    imported = re.findall(r'from ?"\./([^"]+)"', main)
    assert imported
    assert all(re.search(r"\.[0-9a-f]{12}\.js$", name) for name in imported), imported


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
