"""Master data: products and contracts, mandates of hospitals, keys of splits, what suppliers are called."""

from direct_pay.master import buyer, product, supplier
from medfund.events.claims import ClaimBatchAccepted
from medfund.events.instant import ClaimBatchApproved
from medfund.events.suppliers import (
    ContractSigned,
    DirectMandateChanged,
    ProductPriced,
    SplitKeyPublished,
    SupplierChanged,
    SupplierRegistered,
)
from medfund.lanes.capability import Capability, keeping

CAPABILITY = Capability(
    name="master",
    keeps={
        DirectMandateChanged: keeping(buyer.MANDATES, buyer.mandated),
        SplitKeyPublished: keeping(buyer.KEYS, buyer.published),
    },
    learns={
        ProductPriced: product.priced,
        ContractSigned: product.signed,
        SupplierRegistered: supplier.learn,
        SupplierChanged: supplier.learn,
        ClaimBatchAccepted: buyer.accepted,
        ClaimBatchApproved: buyer.approved,
    },
)
