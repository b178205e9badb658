"""MLflow, by its client (the extra `mlflow`): a tracking server, or a SQLite file of this machine.

The run is found by a tag with its id. MLflow changes no parameter: they are those of the first start, and the
artifacts config.json and identity.json beside them those of the latest.
"""

import time

from resizemix_jax.ranges import Text

TAG = 'resizemix_jax.run'
STATES = {'done': 'FINISHED', 'preempted': 'KILLED', 'failed': 'FAILED'}
PARAMS = 100  # in a request, MLflow's limit
LONGEST = 6000  # characters of a parameter, likewise


def mlflow(*, experiment='resizemix-jax', tracking_uri=''):
    """The run appears under the name of its directory.

    Args:
        experiment: its name; is created if it is not there.
        tracking_uri: e.g. http://HOST:PORT or sqlite:////PATH.db; '': MLflow's own choice, which is
            $MLFLOW_TRACKING_URI, or else mlflow.db in the current directory.

    Raises:
        ImportError: the library is not installed.
        ValueError: a value that is not text.
    """
    Text().check('logger_args.', experiment=experiment, tracking_uri=tracking_uri)
    import mlflow as library

    return _MLflow(library, experiment, tracking_uri)


class _MLflow:
    """The logger, see `resizemix_jax.loggers`."""

    def __init__(self, library, experiment, tracking_uri):
        self._library, self._experiment, self._tracking_uri = library, experiment, tracking_uri
        self._client = self._id = None

    def begin(self, run):
        self._client = self._library.MlflowClient(tracking_uri=self._tracking_uri or None)
        experiment = self._experiment_id()
        found = self._client.search_runs([experiment], f"tags.`{TAG}` = '{run.id}'", max_results=1)
        if found:
            self._id, known = found[0].info.run_id, found[0].data.params
            self._client.update_run(self._id, status='RUNNING')
        else:
            tags = {TAG: run.id, 'mlflow.source.git.commit': run.identity.get('commit') or 'unknown'}
            made = self._client.create_run(experiment, tags=tags, run_name=run.workdir.name)
            self._id, known = made.info.run_id, {}
        values = run.flat_config.items()
        self._add_params({key: str(value)[:LONGEST] for key, value in values if key not in known})
        self._client.log_dict(self._id, run.config, 'config.json')
        self._client.log_dict(self._id, run.identity, 'identity.json')
        return bool(found)

    def row(self, step, values):
        now = time.time_ns() // 10**6
        metric = self._library.entities.Metric
        metrics = [metric(tag, float(value), now, step) for tag, value in values.items()]
        self._client.log_batch(self._id, metrics)

    def picture(self, step, tag, path):
        self._client.log_artifact(self._id, str(path), 'gallery')

    def close(self, state, scores):
        for tag, value in scores.items():
            self._client.log_metric(self._id, tag, value)
        self._client.set_terminated(self._id, STATES[state])

    def _experiment_id(self):
        known = self._client.get_experiment_by_name(self._experiment)
        if known is None:
            try:
                return self._client.create_experiment(self._experiment)
            except self._library.MlflowException:  # another run was faster
                known = self._client.get_experiment_by_name(self._experiment)
        return known.experiment_id

    def _add_params(self, values):
        params = [self._library.entities.Param(*item) for item in values.items()]
        for first in range(0, len(params), PARAMS):
            self._client.log_batch(self._id, params=params[first : first + PARAMS])
