"""Transactions that were begun and left: a process that was killed amid one would hold what it touched for a minute."""

from motor.motor_asyncio import AsyncIOMotorClient


async def end_idle_transactions(client: AsyncIOMotorClient, app_name: str, idle_s: float) -> int:
    """Have MongoDB drop the open transactions of an application that had no command for so long; how many. PyMongoError.

    A process that lives finds its transaction gone, which is an error that passes, and tries again. Each user of the database sees,
    and ends, only the own ones.
    """
    idle = {"type": "idleSession", "appName": app_name, "transaction.timeInactiveMicros": {"$gt": int(idle_s * 1_000_000)}}
    found = client.admin.aggregate([{"$currentOp": {"allUsers": False, "idleSessions": True}}, {"$match": idle}])
    sessions = [{"id": each["lsid"]["id"]} for each in await found.to_list(None)]
    if sessions:
        await client.admin.command("killSessions", sessions)
    return len(sessions)
