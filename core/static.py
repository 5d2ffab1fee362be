"""Static files with hashed names, imports inside ES modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ModuleManifestStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    support_js_module_import_aggregation = True
    manifest_strict = False
    # Each pass follows the imports a step deeper where a module stands before what it imports; our chain is longer than Django's five.
    max_post_process_passes = 20
