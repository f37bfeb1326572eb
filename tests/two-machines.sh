C="ip netns exec a curl -s http://127.0.0.1:7071/api"
ID=$(ip netns exec a curl -s -F input_images=@/work/h-main/examples/gizmo.zip -F name=far -F max_train_steps=900 -F train_batch_size=1 -F seed=3 -F checkpointing_steps=100 -F resolution=64 http://127.0.0.1:7071/api/trainings | python3 -c "import json,sys;print(json.load(sys.stdin)['id'])")
echo $ID
step() { $C/trainings/$ID | python3 -c "import json,sys;d=json.load(sys.stdin);p=d.get('progress') or {};print(d['status'],d['stage'],p.get('step'),d.get('error'))"; }
for i in $(seq 1 60); do S=$(step); set -- $S; [ "$2" = train ] && [ "$3" != None ] && [ "${3:-0}" -gt 150 ] 2>/dev/null && break; sleep 1; done
date +%T; echo "before cut: $S"; ip -n b link set vb down; sleep 60; echo "at the end of the cut: $(step)"; ip -n b link set vb up; date +%T
for i in $(seq 1 90); do S=$(step); set -- $S; echo "$(date +%T) $S"; case $1 in succeeded|failed) break;; esac; sleep 3; done | awk 'NR%4==1{print} {l=$0} END{print l}'
$C/trainings/$ID | python3 -c "import json,sys;d=json.load(sys.stdin);print(d['logs'][-900:]); print(d.get('output',{}) and d['output']['version'])"
