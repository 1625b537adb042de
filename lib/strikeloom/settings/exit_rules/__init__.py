"""Exit rules. Every file of this folder is one rule of the same name; see ``exit_registry``."""
