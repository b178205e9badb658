"""Which keys of its config a run reads: a key that no run reads is one that says nothing."""


class RecordedConfig:
    """A config that notes its top-level keys as they are read; a group such as `mixing_args` is read as a
    whole.

    Whole views of the config (`to_json`, `to_dict`, copies, `str`) are not noted.
    """

    def __init__(self, config):
        self._config = config
        self._read = set()

    def __getattr__(self, name):
        if name in self._config:
            self._read.add(name)
        return getattr(self._config, name)

    def __getitem__(self, key):
        self._read.add(key)
        return self._config[key]

    def __str__(self):
        """A key a line, the keywords of a member beside its name."""
        values = dict(sorted(self._config.to_dict().items()))
        lines = {key: f'{key}={value!r}' for key, value in values.items() if not isinstance(value, dict)}
        for key in values.keys() - lines.keys():
            words = ', '.join(f'{name}={value!r}' for name, value in sorted(values[key].items()))
            name = key.removesuffix('_args')
            if name not in lines:
                lines[key] = f'{key}: {words}'
            elif words:
                lines[name] += f' ({words})'
        return '\n'.join(lines[key] for key in sorted(lines))

    def unread(self):
        """The keys that were not read so far, a sorted list."""
        return sorted(set(self._config) - self._read)
