"""`mianti`: finds the verb's module, and tells an error in one sentence."""

import os
from importlib import import_module
from typing import Any

import click

from connectors.errors import MiantiError

# Each is `command` in the module of its name, imported when used: Kafka, Polars and Prefect
# take seconds to import.
VERBS = {
    "publish": "Publish department files · 发布部门文件",
    "withdraw": "Take a record back · 撤回记录",
    "overrule": "Set right what nothing can follow · 更正序号过大的版本",
    "collect": "Publish what lies in the drop zone · 发布投放区中的文件",
    "ingest": "Land new events, settle the datasets · 入库并更新数据集",
    "quarantine": "What was not accepted, and what becomes of it · 处理被隔离的消息",
    "refused": "Refused rows and failed files that wait · 待修改的退回行和失败文件",
    "query": "Print records, on any day · 查询记录",
    "status": "Show where each family stands · 查看状态",
    "verify": "Recount everything, from Kafka to the datasets · 全面核对",
    "ask": "Say which papers need not be brought · 查询可免提交的材料",
    "window": "Serve a window: page, HTTP API, replica · 服务窗口",
    "receipt": "Show a window's receipt, and prove it · 查看并验证回执",
    "uses": "Say for what an enterprise's data were used · 查询数据使用记录",
    "catalogue": "Matters, papers, and what stands in for them · 事项与材料目录",
    "dialect": "Whether dialects and publishers' lines can work · 检查方言和发布部门表",
    "schema": "Whether the schemas take what was published by them · 检查模式兼容性",
    "rebuild": "Make a dataset again from its log · 重建数据集",
    "sample": "Generate sample files · 生成样例文件",
    "demo": "Do the whole job on the sample · 演示全流程",
    "up": "Start Kafka, Prefect and the deployments · 启动本机服务",
    "down": "Stop what `up` started; data stay · 停止本机服务，保留数据",
}
NOTHING_DONE = 2
# Click's own ways to end: usage errors, --help, an interrupt, a reader that has gone.
CLICKS_OWN = (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError)


class LazyGroup(click.Group):
    """A group that imports a verb only to run it, and shows no trace unless asked."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of their table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command, imported now; None where there is no such verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = import_module(f"deploy.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of verbs, without importing one."""
        with formatter.section("Commands · 命令"):
            formatter.write_dl(list(VERBS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; an error ends it with exit code 2 and its sentences on stderr."""
        try:
            return super().invoke(ctx)
        except CLICKS_OWN:
            raise
        except BaseException as error:
            # Rust's own way to end, told by a name alone, is none of Python's exceptions.
            foreseen = isinstance(error, Exception) or type(error).__name__ == "PanicException"
            if ctx.params["debug"] or not foreseen:
                raise
            click.echo("\n".join([_sentences(error), *getattr(error, "__notes__", [])]), err=True)
            ctx.exit(NOTHING_DONE)


def _sentences(error: BaseException) -> str:
    if isinstance(error, MiantiError):
        return str(error)
    from connectors.damage import explained
    from connectors.settings import read_settings

    why = explained(read_settings(), error)
    if why is not None or isinstance(error, OSError):
        return str(why or error)
    # The text of an error not foreseen may repeat a value of a row: only its kind is shown.
    kind = type(error).__name__
    return (
        f"Something unexpected went wrong ({kind}); `mianti --debug …` shows where.\n"
        f"发生意外错误（{kind}）；用 `mianti --debug …` 可查看详细信息。"
    )


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the trace of an error · 显示错误的详细信息")
@click.version_option(package_name="mianti")
def cli(debug: bool) -> None:
    """Mianti 免提: a document handed in once is there for every department.

    企业材料只交一次，各部门共享使用。
    """


def main() -> None:
    """The console script. Ends the process: 0 done, 2 nothing was done; a verb may say more."""
    # The local servers are on loopback, where the proxy of the environment does not reach.
    for variable in ("NO_PROXY", "no_proxy"):
        spared = os.environ.get(variable)
        os.environ[variable] = f"{spared},127.0.0.1" if spared else "127.0.0.1"
    cli(prog_name="mianti")
