"""The cluster beneath, for its operators."""

from fabriek.schemas.cluster import SyncedOut, SyncIn
from fabriek.web.dependencies import CallerDep, FactoryDep
from fabriek.web.router import Right, Router

router = Router(prefix="/api/v1", tags=["cluster"])


@router.post("/cluster/accounts/sync", access=Right("cluster.manage"))
def sync_accounts(wanted: SyncIn, caller: CallerDep, factory: FactoryDep) -> SyncedOut:
    """Bring the cluster's accounts in step with projects and their members. Accounts that are not ours are left alone."""
    found = factory.cluster_accounts.sync(by=caller, dry_run=wanted.dry_run)
    return SyncedOut(
        planned=[str(one) for one in found.planned], done=[str(one) for one in found.done], left=list(found.left)
    )
