import asyncio, os, signal, tempfile, time
from pathlib import Path
import httpx
from tests.mariadb import MariaDB
from tests.conftest import free_port, run_playbill
from tests.faults.serving import Served
from server.settings import Settings
tmp=Path(tempfile.mkdtemp())
(tmp/"m").mkdir()
with MariaDB(tmp/"m", free_port()) as m:
    url=m.create_database("x"); run_playbill(["migrate"],{"PLAYBILL_DATABASE_URL":url})
    s=Settings.model_validate({"database_url":url,"var_dir":tmp/"var"})
    with Served(s, free_port(), tmp) as site:
        print(httpx.get(site.url+"/courses").status_code)
        os.kill(m._process.pid, signal.SIGSTOP)
        async def many():
            async with httpx.AsyncClient(base_url=site.url, timeout=100) as c:
                async def one():
                    t=time.time()
                    try: r=(await c.get("/courses")).status_code
                    except Exception as e: r=repr(e)
                    return r, round(time.time()-t,1)
                async def health():
                    t=time.time(); r=(await c.get("/healthz")).status_code; return r, round(time.time()-t,2)
                print(await health())
                rs=await asyncio.gather(*(one() for _ in range(30)))
                print(rs)
                print(await health())
                os.kill(m._process.pid, signal.SIGCONT)
                t=time.time()
                while True:
                    r=await one()
                    if r[0]==200: break
                    print(r)
                    if time.time()-t>60: break
                print("back after", time.time()-t, [await one() for _ in range(5)])
                print([l for l in (await c.get("/metrics")).text.splitlines() if "db_" in l and "#" not in l])
        asyncio.run(many())
        print(site.log.read_text()[-3000:])
