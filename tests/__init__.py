"""The tests mirror the tree: unit, contract, api, portal, journeys, docs, architecture, faults; factories build what does not matter."""
