"""The SQL of artifacts."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import BigInteger, Column, String, Table, delete, or_, select

from fabriek.adapters.database import Database, metadata
from fabriek.kernel.errors import NotFound
from fabriek.lab.artifacts import Artifact

artifacts = Table(
    "lab_artifacts",
    metadata,
    Column("project", String, primary_key=True),
    Column("root", String, primary_key=True),
    Column("path", String, primary_key=True),
    Column("object_id", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)


class SqlArtifacts:
    def __init__(self, db: Database) -> None:
        self._db = db

    def put(self, artifact: Artifact) -> str:
        here = (
            artifacts.c.project == artifact.project,
            artifacts.c.root == artifact.root,
            artifacts.c.path == artifact.path,
        )
        old = self._db.scalar(select(artifacts.c.object_id).where(*here))
        self._db.put(artifacts, asdict(artifact), ("project", "root", "path"))
        return str(old or "")

    def get(self, project: str, root: str, path: str) -> Artifact:
        here = (artifacts.c.project == project, artifacts.c.root == root, artifacts.c.path == path)
        row = self._db.row(select(artifacts).where(*here))
        if row is None:
            raise NotFound(f"No such artifact: '{path}'")
        return Artifact(**row._mapping)  # noqa: SLF001  # a row's names

    def below(self, project: str, root: str, prefix: str) -> Sequence[Artifact]:
        wanted = (
            select(artifacts).where(artifacts.c.project == project, artifacts.c.root == root).order_by(artifacts.c.path)
        )
        if prefix:
            wanted = wanted.where(
                or_(artifacts.c.path == prefix, artifacts.c.path.startswith(f"{prefix}/", autoescape=True))
            )
        return [Artifact(**row._mapping) for row in self._db.rows(wanted)]  # noqa: SLF001  # a row's names

    def remove(self, project: str, root: str, path: str) -> None:
        self._db.execute(
            delete(artifacts).where(artifacts.c.project == project, artifacts.c.root == root, artifacts.c.path == path)
        )
