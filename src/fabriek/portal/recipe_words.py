"""What the pages of recipes say, in English and Dutch."""

WORDS = {
    "en": {
        "title": "Recipes", "intro": "Jobs that are ready to run. Each says what it is expected to reach and what it costs before you start it.",
        "other": "nl", "language": "In het Nederlands", "expected": "Expected", "cost": "Cost", "packages": "Packages",
        "likely": "about {likely} for {minutes} min",
        "jobs": "{jobs} jobs, each {minutes} min: about {likely}", "most": "at most {most}, for {time}", "takes": "Takes",
        "lacking": "Jobs here do not find {names}: all that it needs is installed when it starts, from what may be installed here.",
        "lacking_fix": "To have it there for all, the operator runs, with the Python of jobs:",
        "run": "Run", "plan": "What would become of it?", "project": "Project", "no_project": "To run it you need a project of your own.",
        "apply": "Apply for one", "card": "Card", "files": "Files", "terminal": "In a terminal", "python": "From Python",
        "held": "It would hold {held} of the share {share}, and leave {left}. Its results would be labelled {label}.",
        "each": "Several values stand between commas, and there is a job for each.", "required": "Must be said.", "none": "none",
        "parameters": "What you may set", "session": "It opens in the browser once it runs.",
    },
    "nl": {
        "title": "Recepten", "intro": "Jobs die klaarstaan. Elk zegt vooraf wat het hoort te halen en wat het kost.",
        "other": "en", "language": "In English", "expected": "Verwacht", "cost": "Kosten", "packages": "Pakketten",
        "likely": "ongeveer {likely} voor {minutes} min",
        "jobs": "{jobs} jobs van elk {minutes} min: ongeveer {likely}", "most": "hoogstens {most}, voor {time}", "takes": "Vraagt",
        "lacking": "Jobs vinden hier {names} niet: wat het nodig heeft, wordt bij de start geïnstalleerd uit wat hier geïnstalleerd mag worden.",
        "lacking_fix": "Om het er voor allen te hebben, draait de beheerder, met de Python van jobs:",
        "run": "Start", "plan": "Wat zou ervan worden?", "project": "Project", "no_project": "Om het te starten is een eigen project nodig.",
        "apply": "Vraag er een aan", "card": "Kaart", "files": "Bestanden", "terminal": "In een terminal", "python": "Vanuit Python",
        "held": "Het zou {held} van het aandeel {share} vastleggen en {left} overlaten. De resultaten krijgen het label {label}.",
        "each": "Meer waarden staan tussen komma's, en er is een job voor elke.", "required": "Verplicht.", "none": "geen",
        "parameters": "Wat er in te stellen is", "session": "Het opent in de browser zodra het loopt.",
    },
}  # fmt: skip
