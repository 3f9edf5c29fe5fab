#!/bin/sh
# The first process of the machine that device_loss.sh starts: loads the card and the camera, runs device_loss.py, ends.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp PYTHONPATH=/repo PYTHONPYCACHEPREFIX=/opt/roomtone/pycache PYTHONOPTIMIZE=2 OMP_NUM_THREADS=1
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp; mount -t tmpfs run /run
mkdir -p /dev/shm; mount -t tmpfs shm /dev/shm
ip link set lo up 2>/dev/null || true
modprobe snd-aloop pcm_notify=1 pcm_substreams=1
modprobe vivid n_devs=1 node_types=0x1
cd /repo
losses=$(sed -n 's/.*losses=\([0-9]*\).*/\1/p' /proc/cmdline)
/opt/roomtone/bin/python -m tests.faults.device_loss --losses "$losses" > /result/table 2> /result/faults
echo $? > /result/status
sync
echo o > /proc/sysrq-trigger
sleep 10
