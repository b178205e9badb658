"""MLflow: the real client and a SQLite file."""

import json

import pytest

from resizemix_jax.loggers.mlflow import mlflow
from resizemix_jax.run.writers import Writer
from tests.loggers.recording import run_in

pytestmark = pytest.mark.filterwarnings('ignore:The ``noload`` loader')  # of SQLAlchemy, used by MLflow


@pytest.fixture(scope='module')
def store(tmp_path_factory):
    """The address of a tracking store, and its client."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp('store')
    address = f'sqlite:///{path / "mlflow.db"}'
    client = MlflowClient(tracking_uri=address)
    client.create_experiment('test', artifact_location=path.as_uri())
    return address, client


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """MLflow puts the artifacts of a new experiment into the current directory."""
    monkeypatch.chdir(tmp_path)


def of_run(client, run):
    """The service's runs of a run."""
    experiment = client.get_experiment_by_name('test').experiment_id
    return client.search_runs([experiment], f"tags.`resizemix_jax.run` = '{run}'")


def history(client, run, tag):
    (found,) = of_run(client, run)
    return [(one.step, one.value) for one in client.get_metric_history(found.info.run_id, tag)]


def artifact(client, found, name):
    return client.download_artifacts(found.info.run_id, name)


@pytest.mark.slow
def test_a_session_and_its_continuation(store, tmp_path):
    address, client = store
    (tmp_path / 'methods_00000004.png').write_bytes(b'picture')
    run = run_in(tmp_path, 'mlflow', run='b1')
    logger = mlflow(experiment='test', tracking_uri=address)
    assert logger.begin(run) is False
    logger.row(4, {'train/loss': 1.5, 'time/seconds': 2.0})
    logger.picture(4, 'gallery/methods', tmp_path / 'methods_00000004.png')
    logger.close('preempted', {})
    (found,) = of_run(client, 'b1')
    assert (found.info.status, found.info.run_name) == ('KILLED', tmp_path.name)
    params = {'seed': '3', 'mixing_args.tau': '[0.1, 0.8]', 'log_every_steps': '50', 'logger': 'mlflow'}
    assert found.data.params == params

    changed = run._replace(config=run.config | {'log_every_steps': 10, 'epochs': 2})
    logger = mlflow(experiment='test', tracking_uri=address)
    assert logger.begin(changed) is True
    (found,) = of_run(client, 'b1')
    assert found.info.status == 'RUNNING'
    logger.row(6, {'train/loss': 0.5})
    logger.close('done', {'result/top1_best': 0.5})
    (found,) = of_run(client, 'b1')
    assert found.info.status == 'FINISHED' and found.data.params == params | {'epochs': '2'}
    assert history(client, 'b1', 'train/loss') == [(4, 1.5), (6, 0.5)]
    assert found.data.metrics['result/top1_best'] == 0.5
    with open(artifact(client, found, 'config.json')) as file:
        assert json.load(file) == changed.config
    with open(artifact(client, found, 'identity.json')) as file:
        assert json.load(file) == run.identity
    with open(artifact(client, found, 'gallery/methods_00000004.png'), 'rb') as file:
        assert file.read() == b'picture'


@pytest.mark.slow
def test_no_step_is_given_twice_after_a_kill(store, tmp_path):
    """The second session begins again from step 4; the service keeps what it had of step 6."""
    address, client = store
    for begin, last in ((0, 6), (4, 8)):
        logger = mlflow(experiment='test', tracking_uri=address)
        with Writer(tmp_path, begin, 8, run_in(tmp_path, 'mlflow', begin, 'c1'), logger) as writer:
            for step in range(begin + 2, last + 1, 2):
                writer.write(step, {'train_loss': float(10 * begin + step)})
    assert history(client, 'c1', 'train/loss') == [(2, 2.0), (4, 4.0), (6, 6.0), (8, 48.0)]


@pytest.mark.slow
def test_another_store_is_given_all(store, tmp_path):
    address, client = store
    run = run_in(tmp_path, 'mlflow', run='d1')
    with Writer(tmp_path, 0, 8, run, mlflow(experiment='other', tracking_uri=address)) as writer:
        writer.write(2, {'train_loss': 2.0})
    with Writer(tmp_path, 2, 8, run, mlflow(experiment='test', tracking_uri=address)) as writer:
        writer.write(4, {'train_loss': 4.0})
    assert history(client, 'd1', 'train/loss') == [(2, 2.0), (4, 4.0)]


def test_a_server_that_is_not_there_ends_the_logger_alone(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0')
    logger = mlflow(tracking_uri='http://127.0.0.1:9')
    with Writer(tmp_path, 0, 8, run_in(tmp_path, 'mlflow'), logger) as writer:
        writer.write(2, {'train_loss': 2.0})
    assert caplog.text.count('The logger mlflow is left out from here on: ') == 1
    assert len((tmp_path / 'metrics.jsonl').read_text().splitlines()) == 1
