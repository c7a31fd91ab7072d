"""No option is ignored: whoever gives one that decides nothing beside the others learns so, before anything runs."""

import pytest
import typer

from tests.unit.toolkit.cli.test_cli import weighbridge
from weighbridge.cli import app as cli
from weighbridge.cli.option_rules import Needs, NotWith, rules_of


def commands_in(group, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands_in(command, (*path, name))
        else:
            yield (*path, name), command


RULES = [
    pytest.param(path, command, name, rule, id=f"{' '.join(path)} {name}")
    for path, command in commands_in(typer.main.get_command(cli.app))
    for name, rule in rules_of(command.callback)
    # The data of `optimize` are always given.
    if not {each.opts[0] for each in command.params if each.required} & set(rule.others)
]


def words_of(parameter, value=None):
    """The words of the command line that give an option, or an argument."""
    # The one choice that a command cannot do without is the tracker.
    text = value or ("wandb" if parameter.name == "to" else "2")
    option = () if parameter.param_type_name == "argument" else (parameter.opts[0],)
    return option if getattr(parameter, "is_flag", False) else (*option, text)


def line_of(path, command, name, *more):
    """A command line with an option, the words `more`, and whatever else the command cannot do without."""
    named = {parameter.name: parameter for parameter in command.params}
    others = [
        words_of(each) for each in named.values() if each.required and each.name != name and each.opts[0] not in more
    ]
    return [*path, *words_of(named[name]), *more, *(word for words in others for word in words)]


@pytest.mark.parametrize(("path", "command", "name", "rule"), RULES)
def test_an_option_that_decides_nothing_is_refused(path, command, name, rule, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {parameter.opts[0]: parameter for parameter in command.params}
    # Each option that a rule names is one of the same command.
    assert {other.partition(" ")[0] for other in rule.others} <= options.keys()
    more = [] if isinstance(rule, Needs) else words_of(options[rule.others[0]])
    if path == ("track",):
        more = ["--to", "wandb" if "--to wandb" not in rule.others else "jsonl"]
    done = weighbridge(*line_of(path, command, name, *more))
    sentence = "is used only with" if isinstance(rule, Needs) else "is not used with"
    assert (done.exit_code, sentence in done.stderr) == (2, True), done.stderr
    assert rule.others[0] in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "command", "name", "rule"), RULES)
def test_an_option_is_taken_with_what_it_needs(path, command, name, rule, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = {parameter.opts[0]: parameter for parameter in command.params}
    for other in rule.others:
        option, _, value = other.partition(" ")
        more = words_of(options[option], value or None) if isinstance(rule, Needs) else ["--quiet"]
        done = weighbridge(*line_of(path, command, name, *more))
        assert f"{options_of(command, name)} is used only" not in done.stderr
        assert "is not used with" not in done.stderr


def options_of(command, name):
    return next(parameter.opts[0] for parameter in command.params if parameter.name == name)


def test_a_default_that_is_named_counts_and_the_environment_does_not(tmp_path):
    done = weighbridge("profile", "m.onnx", "--batch", 8)
    assert (
        "--batch is used only with --scenario multi-stream or --scenario offline; add it, or leave out" in done.stderr
    )
    spelled = weighbridge("profile", "gone.onnx", "--batch", 8, "--scenario", "MultiStream")
    assert "--batch" not in spelled.stderr
    results = weighbridge("track", tmp_path / "gone.json", "--to", "jsonl", env={"MLFLOW_TRACKING_URI": "file:runs"})
    assert "--uri" not in results.stderr


def test_rules_stand_beside_the_options_that_they_are_of():
    rules = {name: rule.others for name, rule in rules_of(cli.profile)}
    assert (rules["compiled"], rules["concurrency"]) == (("--torch",), ("--scenario offline",))
    assert NotWith("--a").others == ("--a",)
