"""Find a class in a module that an analyst wrote, beside the notebooks or in the project's folder."""

import importlib
import sys
from os import PathLike
from pathlib import Path

from crm_utils.core.errors import OwnCodeError


def load_class(name: str, root: PathLike[str]) -> type:
    """Import a class.

    Parameters
    ----------
    name : str
        The module and the class: `my_models:MyModel`.
    root : path-like
        The project's folder. The module is searched for in its folder `notebooks`, then in the folder itself.

    Returns
    -------
    type
        The class.

    Raises
    ------
    OwnCodeError
        If there is no such module or class, or if the module fails.
    """
    module_name, _, class_name = name.partition(":")
    folders = [str(folder.resolve()) for folder in (Path(root, "notebooks"), Path(root))]
    sys.path[:0] = folders
    sys.modules.pop(module_name, None)  # in Jupyter it may have been edited since
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0]:
            raise OwnCodeError(f"{name}: it imports {error.name}, which is not installed") from None
        path = module_name.replace(".", "/")
        raise OwnCodeError(f"{name}: there is no {path}.py beside the notebooks or in the project's folder") from None
    except Exception as error:
        raise OwnCodeError(f"{name}: the module fails with {type(error).__name__}: {error}") from error
    finally:
        for folder in folders:
            sys.path.remove(folder)
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        raise OwnCodeError(f"{name}: {module_name}.py has no class {class_name}")
    return found
