"""What members of a gang say to each other in tests."""

MEETING = """
import os, socket
rank, members = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
if rank == 0:
    with socket.create_server(address) as door:
        met = []
        for _ in range(members - 1):
            line, _ = door.accept()
            with line, line.makefile() as said:
                met.append(said.readline().strip())
    print("met", *sorted(met))
else:
    while True:
        try:
            with socket.create_connection(address) as line:
                line.sendall(f"{os.environ['SLURMD_NODENAME']} of {os.environ['SLURM_JOB_NODELIST']}\\n".encode())
            break
        except ConnectionRefusedError:
            continue
"""
"""The first waits at the rendezvous, the others find it there and say who they are."""
